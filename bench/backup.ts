// Our backup of a cluster against redis-cli's, how long a client of a master waits meanwhile, and our restore into 3, 4 and 6 masters against redis-cli's import of the
// same keys from a single server, side by side: npm run bench -- backup [runs, 3] [keys, 1000000]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backUp } from '../src/operations/backup.ts';
import { planRestore } from '../src/operations/restore.ts';
import { readBackup } from '../src/operations/backups/readBackup.ts';
import { runPlan } from '../src/operations/run/runPlan.ts';
import * as redis from '../src/redis/entry.ts';
import { backupFolder } from '../src/ui/questions/backupFolder.ts';
import { folderFiles } from '../src/ui/folderFiles.ts';
import { fill, type Write } from '../test/support/redis/fill.ts';
import { readSnapshot } from '../test/support/redis/readSnapshot.ts';
import { runPorts } from '../test/support/redis/runPorts.ts';
import { startRedisCluster, type TestCluster } from '../test/support/startRedisCluster.ts';
import { median, round } from './support/numbers.ts';
import { conclude } from './support/record.ts';
import { settle, startOtherClient } from './support/side.ts';

const [first = '3', second = '1000000'] = process.argv.slice(2);
const runs = Number(first);
const keys = Number(second);
const signal = new AbortController().signal;
const report = (): undefined => undefined;
const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 60_000 };

/** Texts, hashes, lists, sets and sorted sets in turn, each of about 100 bytes. */
function* writes(): Generator<Write> {
  const value = 'x'.repeat(80);
  for (let number = 0; number < keys; number++) {
    const key = Buffer.from(`key:${number}`);
    const text = `${number}${value}`;
    const kinds: readonly Write[] = [
      ['SET', key, text],
      ['HSET', key, 'name', text, 'count', number],
      ['RPUSH', key, number, text],
      ['SADD', key, number, number + 1, number + 2],
      ['ZADD', key, number, text],
    ];
    yield kinds[number % kinds.length] ?? ['SET', key, text];
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function backedUp(cluster: TestCluster, parent: string, name: string): Promise<string> {
  const { place, discard, path } = backupFolder(parent, name, new Date());
  const result = await backUp(await readSnapshot(cluster), false, {
    ...{ dialer: cluster.dialer, redis, place, discard, report, signal, clock: () => Date.now() },
    readSnapshot: () => readSnapshot(cluster),
  });
  if (result.keys !== keys) throw new Error(`${result.keys} keys were copied`);
  return path;
}

/** With the look through all files that comes before anything is changed. */
async function restored(cluster: TestCluster, folder: string): Promise<void> {
  const backup = await readBackup(folder, { files: folderFiles, redis, report, signal });
  const plan = planRestore(await readSnapshot(cluster), backup, 'empty', redis);
  const { movedKeys } = await runPlan(plan, runPorts(cluster));
  if (movedKeys !== keys) throw new Error(`${movedKeys} keys were restored`);
}

async function flushed(cluster: TestCluster): Promise<void> {
  for (const { id, role } of cluster.nodes) {
    if (role !== 'master') continue;
    const connection = await cluster.dialer.dial(id);
    await connection.call('FLUSHALL');
    connection.close();
  }
  await sleep(1000);
}

/** A server of its own, outside any cluster, that has all keys of a backup. */
async function single(parent: string): Promise<{ readonly address: string; readonly stop: () => void }> {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', parent], {
    stdio: 'ignore',
  });
  await sleep(1000);
  const connection = await redis.connectNode({ host: '127.0.0.1', port }, {}, times);
  let batch: Write[] = [];
  for (const write of writes()) {
    batch.push(write);
    if (batch.length < 1000) continue;
    await connection.pipeline(batch);
    batch = [];
  }
  await connection.pipeline(batch);
  connection.close();
  return { address: `127.0.0.1:${port}`, stop: () => server.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}

const parent = await mkdtemp(join(tmpdir(), 'bench-backups-'));
const resident = (): number => process.memoryUsage().rss / 1e6;
let peakMB = 0;
const figures = { ours: [] as number[], theirs: [] as number[], imported: [] as number[] };
const p99 = { quiet: [] as number[], during: [] as number[], theirs: [] as number[] };
const restores = new Map<number, number[]>();
const cluster = await startRedisCluster();
try {
  await fill(cluster, writes());
  await settle(cluster);
  const before = resident();
  const watch = setInterval(() => {
    peakMB = Math.max(peakMB, resident() - before);
  }, 50);
  let folder = '';
  const client = startOtherClient(cluster.nodes[0] ?? { host: '', port: 0 });
  for (let run = 1; run <= runs; run++) {
    if (folder !== '') await rm(folder, { recursive: true });
    await client.waits();
    await sleep(2_000);
    p99.quiet.push((await client.waits()).p99);
    figures.ours.push(
      await seconds(async () => {
        folder = await backedUp(cluster, parent, `ours-${run}`);
      }),
    );
    p99.during.push((await client.waits()).p99);
    const theirs = join(parent, `theirs-${run}`);
    await mkdir(theirs);
    figures.theirs.push(
      await seconds(async () => {
        const { code, stdout } = await cluster.cli('--cluster', 'backup', cluster.addresses[0] ?? '', theirs);
        if (code !== 0) throw new Error(stdout);
      }),
    );
    p99.theirs.push((await client.waits()).p99);
    await rm(theirs, { recursive: true });
    console.log(`backup ${run}: ours ${figures.ours.at(-1)} s, redis-cli ${figures.theirs.at(-1)} s`);
    console.log(
      `a client's p99: ${p99.quiet.at(-1)} ms, during ours ${p99.during.at(-1)} ms, during redis-cli's ${p99.theirs.at(-1)} ms`,
    );
  }
  client.stop();
  const lone = await single(parent);
  await flushed(cluster);
  for (const masters of [3, 4, 6]) {
    const target = masters === 3 ? cluster : await startRedisCluster({ masters });
    const own: number[] = [];
    for (let run = 1; run <= runs; run++) {
      own.push(await seconds(() => restored(target, folder)));
      await flushed(target);
      // An import takes minutes, and its ratio is far from what is required.
      if (masters !== 3 || run > 1) continue;
      figures.imported.push(
        await seconds(async () => {
          const args = ['--cluster', 'import', target.addresses[0] ?? '', '--cluster-from', lone.address];
          const { code, stdout } = await target.cli(...args, '--cluster-copy');
          if (code !== 0) throw new Error(stdout.slice(-500));
        }),
      );
      await flushed(target);
      console.log(`restore ${run}: ours ${own.at(-1)} s, redis-cli imports in ${figures.imported.at(-1)} s`);
    }
    restores.set(masters, own);
    console.log(`into ${masters} masters: ${own.map((one) => one.toFixed(2)).join(', ')} s`);
    if (target !== cluster) await target.stop();
  }
  lone.stop();
  clearInterval(watch);
} finally {
  await cluster.stop();
  await rm(parent, { recursive: true });
}
const imported = median(figures.imported);
const slowest = Math.max(...[...restores.values()].map(median));
conclude({
  backupRatio: round(median(figures.theirs) / median(figures.ours)),
  restoreRatio: round(imported / slowest),
  importRatio: round(imported / median(restores.get(3) ?? [])),
  p99Ratio: round(median(p99.during) / median(p99.quiet)),
  p99OfRediscli: round(median(p99.during) / median(p99.theirs)),
  peakMB: Math.round(peakMB),
  keys,
});
