import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Crc64 } from '../../src/redis/rdb/crc64.ts';
import { restored } from '../support/redis/backups.ts';
import { startRedisCluster } from '../support/startRedisCluster.ts';

const largeBytes = 60 * 1024 * 1024;
const keys = 1_000_000;

/** As long as RDB files write lengths. */
function length(count: number): Buffer {
  if (count < 64) return Buffer.of(count);
  const wide = Buffer.of(0x80, 0, 0, 0, 0);
  wide.writeUInt32BE(count, 1);
  return wide;
}

function entry(key: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0), length(key.length), Buffer.from(key), length(value.length), value]);
}

/** A million small values, and in their middle one that is nearly as large as values may be. */
function* pieces(): Generator<Buffer> {
  yield Buffer.from('REDIS0010');
  for (let number = 0; number < keys; number += 1_000) {
    yield Buffer.concat(
      Array.from({ length: 1_000 }, (_, index) => entry(`key ${number + index}`, randomBytes(100))),
    );
    if (number === keys / 2) yield entry('large', randomBytes(largeBytes));
  }
  yield Buffer.of(0xff);
}

test(
  'a restore takes 200 MB of memory at most, whatever the file holds',
  { timeout: 240_000 },
  async (context) => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'large-'));
    stack.defer(() => rm(folder, { recursive: true }));
    const file = createWriteStream(join(folder, 'dump.rdb'));
    const sum = new Crc64();
    for (const piece of pieces()) {
      sum.add(piece);
      if (!file.write(piece)) await once(file, 'drain');
    }
    file.end(sum.sum());
    await once(file, 'finish');
    const target = await startRedisCluster({ replicasPerMaster: 0 });
    stack.defer(() => target.stop());
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 10);
    stack.defer(() => {
      clearInterval(watch);
    });
    const { movedKeys, seconds } = await restored(target, folder, 'empty');
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    context.diagnostic(
      `${movedKeys} keys in ${seconds.toFixed(1)} s; ${megabytes(peak - before)} MB more, ${megabytes(peak)} MB in all`,
    );
    assert.equal(movedKeys, keys + 1);
    assert.ok(peak - before <= 200e6, `${megabytes(peak - before)} MB more`);
  },
);
