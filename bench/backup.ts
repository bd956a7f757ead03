// Our backup of a cluster against redis-cli's, and how long other clients wait meanwhile, side by side:
// npm run bench -- backup [runs, 3] [keys, 1000000]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backUp } from '../src/operations/backup.ts';
import * as redis from '../src/redis/entry.ts';
import { backupFolder } from '../src/ui/backupFolder.ts';
import { fill, type Write } from '../test/support/redis/fill.ts';
import { readSnapshot } from '../test/support/redis/readSnapshot.ts';
import { startRedisCluster } from '../test/support/startRedisCluster.ts';
import { median, round } from './support/numbers.ts';
import { settle } from './support/side.ts';

const [first = '3', second = '1000000'] = process.argv.slice(2);
const runs = Number(first);
const keys = Number(second);

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

const cluster = await startRedisCluster();
const parent = await mkdtemp(join(tmpdir(), 'bench-backups-'));
const figures: { ours: number; theirs: number }[] = [];
const resident = (): number => process.memoryUsage().rss / 1e6;
let peakMB = 0;
try {
  await fill(cluster, writes());
  await settle(cluster);
  const before = resident();
  const watch = setInterval(() => {
    peakMB = Math.max(peakMB, resident() - before);
  }, 50);
  for (let run = 1; run <= runs; run++) {
    const { place, discard, path } = backupFolder(parent, `ours-${run}`, new Date());
    const ours = await seconds(async () => {
      const result = await backUp(await readSnapshot(cluster), false, {
        ...{ dialer: cluster.dialer, redis, place, discard },
        readSnapshot: () => readSnapshot(cluster),
        report: () => undefined,
        signal: new AbortController().signal,
        clock: () => Date.now(),
      });
      if (result.keys !== keys) throw new Error(`${result.keys} keys were copied`);
    });
    await rm(path, { recursive: true });
    const folder = join(parent, `theirs-${run}`);
    await mkdir(folder);
    const theirs = await seconds(async () => {
      const { code, stdout } = await cluster.cli('--cluster', 'backup', cluster.addresses[0] ?? '', folder);
      if (code !== 0) throw new Error(stdout);
    });
    await rm(folder, { recursive: true });
    console.log(`ours ${ours.toFixed(2)} s, redis-cli ${theirs.toFixed(2)} s`);
    figures.push({ ours, theirs });
  }
  clearInterval(watch);
} finally {
  await cluster.stop();
  await rm(parent, { recursive: true });
}
const backupRatio = round(
  median(figures.map(({ theirs }) => theirs)) / median(figures.map(({ ours }) => ours)),
);
console.log(JSON.stringify({ backupRatio, peakMB: Math.round(peakMB) }));
