// Our check against redis-cli's on 6 and on 200 nodes, as the editor makes it (over the connections that it keeps while
// it shows a cluster) and from nothing: npm run bench -- check [runs] [sizes, 6,200]
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from '../src/checks/check.ts';
import { checkText } from '../src/checks/checkText.ts';
import { AddressScope } from '../src/inventory/addressScope.ts';
import type { RedisReading } from '../src/inventory/nodeReader.ts';
import { connectNode } from '../src/redis/connect.ts';
import { readNodeView } from '../src/redis/nodeView.ts';
import { startRedisCluster, type TestCluster } from '../test/support/startRedisCluster.ts';
import { medianLoad, startLoad, type Load } from './support/load.ts';
import { median, round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { settle } from './support/side.ts';

const [first = '25', second = '6,200'] = process.argv.slice(2);
const runs = Number(first);
const sizes = second.split(',').map(Number);

/** Until servers have closed what connections were given up. */
const pauseMs = 300;
const times = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 };
const connect: RedisReading['connectNode'] = (endpoint, credentials) =>
  connectNode(endpoint, credentials, times);
const reading: RedisReading = { connectNode: connect, connectPatiently: connect, readNodeView };

function scopeOf(cluster: TestCluster): AddressScope {
  const addresses = cluster.addresses.slice(0, 1);
  const none = (): undefined => undefined;
  const source = {
    ref: { addresses },
    name: 'bench',
    sandbox: false,
    credentials: () => Promise.resolve({}),
  };
  return new AddressScope(source, reading, none);
}

async function checkBy(scope: AddressScope, size: number): Promise<void> {
  await scope.readFully();
  const { snapshot } = scope;
  if (snapshot === undefined) throw new Error('nothing was read');
  const text = checkText(snapshot, check(snapshot));
  const isWhole = text.includes('All 16384 slots covered') && snapshot.nodes.length === size;
  if (!isWhole || snapshot.nodes.some(({ view }) => view === undefined)) throw new Error(text.slice(-500));
}

/** Until every node says twice what it said before: of 200 nodes the last hears of a role half a minute after it changed. */
async function quiet(scope: AddressScope, size: number): Promise<void> {
  const said = (): unknown[] => scope.snapshot?.nodes.map(({ view }) => view?.others) ?? [];
  for (let rounds = 0; rounds < 3; rounds++) {
    const before = said();
    await checkBy(scope, size);
    if (said().some((others, index) => others !== before[index])) rounds = 0;
    await sleep(pauseMs);
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

interface Result {
  readonly kept: number;
  readonly cold: number;
  readonly rediscli: number;
  readonly load: Load;
}

async function measure(size: number): Promise<Result> {
  const cluster = await startRedisCluster({
    masters: size / 2,
    config: { 'cluster-node-timeout': '30000', 'repl-backlog-size': '1mb' },
  });
  const kept = scopeOf(cluster);
  const figures: Result[] = [];
  try {
    await settle(cluster);
    await quiet(kept, size);
    for (let run = 1; run <= runs; run++) {
      // Measured first and apart: to ask all servers what they have used takes as long as the check.
      const end = await startLoad(cluster);
      await checkBy(kept, size);
      const load = await end();
      await sleep(pauseMs);
      const warm = await seconds(() => checkBy(kept, size));
      const fresh = scopeOf(cluster);
      const cold = await seconds(() => checkBy(fresh, size));
      fresh.stop();
      await sleep(pauseMs);
      const rediscli = await seconds(async () => {
        const { code, stdout } = await cluster.cli('--cluster', 'check', cluster.addresses[0] ?? '');
        if (code !== 0) throw new Error(stdout.slice(-500));
      });
      const ms = (figure: number): string => `${(figure * 1000).toFixed(1)} ms`;
      console.log(
        `${size} nodes, run ${run}: ${ms(warm)}, from nothing ${ms(cold)}, redis-cli ${ms(rediscli)}`,
      );
      figures.push({ kept: warm, cold, rediscli, load });
    }
  } finally {
    kept.stop();
    await cluster.stop();
  }
  const of = (figure: 'kept' | 'cold' | 'rediscli'): number => median(figures.map((one) => one[figure]));
  const load = medianLoad(figures.map((one) => one.load));
  return { kept: of('kept'), cold: of('cold'), rediscli: of('rediscli'), load };
}

const figures: Record<string, number> = {};
const ratios: number[] = [];
const limits: Record<string, Load> = {};
for (const size of sizes) {
  const { kept, cold, rediscli, load } = await measure(size);
  limits[`${size} nodes`] = load;
  ratios.push(rediscli / kept);
  figures[`oursMs${size}`] = round(kept * 1000);
  figures[`fromNothingMs${size}`] = round(cold * 1000);
  figures[`rediscliMs${size}`] = round(rediscli * 1000);
  figures[`ratio${size}`] = round(rediscli / kept);
  figures[`ratioFromNothing${size}`] = round(rediscli / cold);
  figures[`cpuMs${size}`] = round(load.ownCpuMs);
}
conclude({ ratio: round(Math.min(...ratios)), ...figures, limits, runs });
