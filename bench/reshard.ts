// Our reshard against redis-cli's, in turn on one cluster of real servers: npm run bench -- reshard [keys] [slots] [runs]
import { availableParallelism } from 'node:os';
import { planReshard } from '../src/operations/reshard.ts';
import { runPlan } from '../src/operations/runPlan.ts';
import { fill, type Write } from '../test/redis/fill.ts';
import { readSnapshot } from '../test/redis/readSnapshot.ts';
import { runPorts } from '../test/redis/runPorts.ts';
import { startRedisCluster, type TestCluster } from '../test/support/startRedisCluster.ts';

const [keys = 300_000, slots = 1000, runs = 3] = process.argv.slice(2).map(Number);
const valueBytes = 100;

function* writes(): Generator<Write> {
  const value = Buffer.alloc(valueBytes, 'x');
  for (let number = 0; number < keys; number++) yield ['SET', Buffer.from(`key:${number}`), value];
}

/** Each way moves the lowest slots of one master to the other; reading the cluster and checking it is part of it. */
type Way = (cluster: TestCluster, from: string, to: string) => Promise<void>;

const ours: Way = async (cluster, from, to) => {
  const snapshot = await readSnapshot(cluster);
  const result = await runPlan(planReshard(snapshot, { from: [from], to, slots }), runPorts(cluster));
  if (result.movedSlots !== slots) throw new Error(`${result.movedSlots} slots were moved`);
};

function redisCli(pipeline: number): Way {
  return async (cluster, from, to) => {
    const { code, stdout } = await cluster.cli(
      ...['--cluster', 'reshard', cluster.addresses[0] ?? '', '--cluster-yes'],
      ...['--cluster-from', from, '--cluster-to', to],
      ...['--cluster-slots', String(slots), '--cluster-pipeline', String(pipeline)],
    );
    if (code !== 0) throw new Error(`redis-cli ended with ${code}: ${stdout.slice(-500)}`);
  };
}

/** redis-cli refuses while the nodes do not agree yet on what the run before has moved. */
async function settle(cluster: TestCluster): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { code } = await cluster.cli('--cluster', 'check', cluster.addresses[0] ?? '');
    if (code === 0) return;
  }
  throw new Error('the nodes do not come to agree');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

async function measure(
  cluster: TestCluster,
  ways: Readonly<Record<string, Way>>,
): Promise<Record<string, number>> {
  const [one, other] = cluster.nodes;
  if (one === undefined || other === undefined) throw new Error('a cluster has two masters at least');
  let [from, to] = [one.id, other.id];
  const times = new Map<string, number[]>();
  for (let run = 1; run <= runs; run++) {
    for (const [name, way] of Object.entries(ways)) {
      await settle(cluster);
      const start = performance.now();
      await way(cluster, from, to);
      const seconds = (performance.now() - start) / 1000;
      console.log(`run ${run}: ${name} ${seconds.toFixed(2)} s`);
      times.set(name, [...(times.get(name) ?? []), seconds]);
      [from, to] = [to, from];
    }
  }
  return Object.fromEntries([...times].map(([name, seconds]) => [name, median(seconds)]));
}

const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '5000' } });
try {
  await fill(cluster, writes());
  console.log(`${keys} keys of ${valueBytes} bytes; ${slots} slots a move; medians of ${runs} runs`);
  const result = await measure(cluster, {
    ours,
    rediscli: redisCli(10),
    rediscliPipeline100: redisCli(100),
  });
  const { ours: own = Number.NaN, rediscli = Number.NaN, rediscliPipeline100 = Number.NaN } = result;
  const round = (value: number): number => Math.round(value * 100) / 100;
  console.log(
    JSON.stringify({
      ours: round(own),
      rediscli: round(rediscli),
      ratio: round(rediscli / own),
      rediscliPipeline100: round(rediscliPipeline100),
      ratioPipeline100: round(rediscliPipeline100 / own),
      ...{ keys, valueBytes, slots, runs, cores: availableParallelism() },
    }),
  );
} finally {
  await cluster.stop();
}
