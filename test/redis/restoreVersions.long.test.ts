import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backedUp, contents, debugging, kinds, plain, restored } from '../support/redis/backups.ts';
import { fill } from '../support/redis/fill.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

describe('restoring between versions', { timeout: 300_000 }, () => {
  for (const [from, to] of [
    ['7.0', 'redisNewest'],
    ['7.0', 'valkeyNewest'],
    ['redisNewest', 'valkeyNewest'],
    ['valkeyNewest', 'redisNewest'],
    ['redisNewest', '7.0'],
  ] as const) {
    test(`from ${from} to ${to}: what both know is read, and the rest is refused by its type`, async () => {
      await using stack = new AsyncDisposableStack();
      const parent = await mkdtemp(join(tmpdir(), 'versions-'));
      stack.defer(() => rm(parent, { recursive: true }));
      const start = (version: '7.0' | 'redisNewest' | 'valkeyNewest'): Promise<TestCluster> =>
        startRedisCluster({
          replicasPerMaster: 0,
          config: debugging,
          ...(version === '7.0' ? {} : { version }),
        });
      const source = await start(from);
      stack.defer(() => source.stop());
      const target = await start(to);
      stack.defer(() => target.stop());
      await fill(source, plain);
      const folder = await backedUp(source, parent, 'plain');
      await restored(target, folder, 'empty');
      assert.equal((await contents(target)).size, plain.length);
      if (from === '7.0') return;
      await fill(
        source,
        kinds(from).filter(([, key]) => key.toString().includes('expire')),
      );
      const newer = await backedUp(source, parent, 'newer');
      await assert.rejects(restored(target, newer, 'merge'), /does not know \(.*type 2[245]/);
      assert.equal((await contents(target)).size, plain.length);
    });
  }
});
