import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { messageOf } from '../../src/model/errors.ts';
import type { Progress } from '../../src/model/progress.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import {
  backedUp,
  contents,
  debugging,
  kinds,
  plain,
  readFolder,
  restored,
} from '../support/redis/backups.ts';
import { fill } from '../support/redis/fill.ts';
import { readSnapshot as readNow } from '../support/redis/readSnapshot.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

/** So that a difference is told in words and not in thousands of values. */
async function assertSame(cluster: TestCluster, original: ReadonlyMap<string, string>): Promise<void> {
  const now = await contents(cluster);
  const differing = [...original].filter(([key, digest]) => now.get(key) !== digest).map(([key]) => key);
  assert.deepEqual([now.size, differing], [original.size, []]);
}

describe('restoring', { timeout: 300_000 }, () => {
  let cluster: TestCluster;
  let parent: string;
  let folder: string;
  let original: ReadonlyMap<string, string>;
  before(async () => {
    cluster = await startRedisCluster({ config: debugging });
    parent = await mkdtemp(join(tmpdir(), 'restores-'));
    await fill(cluster, [...plain, ...kinds('7.0')]);
    await cluster.cli('--cluster', 'call', cluster.addresses[0] ?? '', 'FUNCTION', 'LOAD', library);
    folder = await backedUp(cluster, parent, 'shop');
    original = await contents(cluster);
  });
  after(async () => {
    await cluster.stop();
    await rm(parent, { recursive: true });
  });

  for (const masters of [3, 4, 6]) {
    test(`into ${masters} masters: every key is what it was`, async () => {
      await using stack = new AsyncDisposableStack();
      const target = await startRedisCluster({ masters, replicasPerMaster: 0, config: debugging });
      stack.defer(() => target.stop());
      const result = await restored(target, folder, 'empty');
      assert.equal(result.movedKeys, original.size);
      await assertSame(target, original);
      const [at, was] = await Promise.all([expiry(target), expiry(cluster)]);
      assert.deepEqual([at, at > Date.now()], [was, true]);
      const functions = await target.cli('FUNCTION', 'LIST');
      assert.match(functions.stdout, /library/);
      // The same again finds all of it there.
      const again = await restored(target, folder, 'merge');
      assert.equal(again.movedKeys, 0);
      await assertSame(target, original);
    });
  }

  test('keys that are there: refused, kept, or deleted first, as is said', async () => {
    await using stack = new AsyncDisposableStack();
    const target = await startRedisCluster({ replicasPerMaster: 0, config: debugging });
    stack.defer(() => target.stop());
    await fill(target, [
      ['SET', Buffer.from('key 1'), 'another value'],
      ['SET', Buffer.from('of its own'), 'x'],
    ]);
    await assert.rejects(restored(target, folder, 'empty'), /holds 2 keys. .*"merge".*"replace"/);
    await restored(target, folder, 'merge');
    const merged = await contents(target);
    assert.equal(merged.size, original.size + 1);
    assert.notEqual(merged.get('key 1'), original.get('key 1'));
    await restored(target, folder, 'replace');
    await assertSame(target, original);
  });

  test('what redis-cli backed up, and one that was stopped in the middle', async () => {
    await using stack = new AsyncDisposableStack();
    const target = await startRedisCluster({ replicasPerMaster: 0, config: debugging });
    stack.defer(() => target.stop());
    const theirs = await mkdtemp(join(parent, 'theirs-'));
    const { code, stdout } = await cluster.cli('--cluster', 'backup', cluster.addresses[0] ?? '', theirs);
    assert.equal(code, 0, stdout);
    const stop = new AbortController();
    const stopped = await restored(target, theirs, 'empty', {
      signal: stop.signal,
      report: ({ done = 0 }) => {
        if (done > 100) stop.abort();
      },
    });
    assert.equal(stopped.cancelled, true);
    const some = (await contents(target)).size;
    assert.ok(some > 0 && some < original.size, String(some));
    await restored(target, theirs, 'merge');
    await assertSame(target, original);
  });

  test('values that are not what was written are told by type and slot', async () => {
    await using stack = new AsyncDisposableStack();
    const target = await startRedisCluster({ replicasPerMaster: 0, config: debugging });
    stack.defer(() => target.stop());
    const equal = await restored(target, folder, 'empty');
    assert.ok((equal.comparedValues ?? 0) > 300, String(equal.comparedValues));
    let isWritten = false;
    const report = ({ text }: Progress): void => {
      isWritten ||= text.includes('restoring');
    };
    const readSnapshot = async (): Promise<ClusterSnapshot> => {
      if (isWritten) {
        await target.cli('-c', ...addressOf(target), 'HSET', 'hash', 'field 1', 'changed');
        await target.cli('-c', ...addressOf(target), 'DEL', 'list');
        await target.cli('-c', ...addressOf(target), 'PEXPIRE', 'sorted', '100000000');
      }
      return await readNow(target);
    };
    await assert.rejects(restored(target, folder, 'replace', { readSnapshot, report }), (error: unknown) => {
      const message = messageOf(error);
      assert.match(message, /3 of \d+ compared values differ from the files: /);
      for (const part of [
        /a hash in slot \d+ has another value/,
        /a list in slot \d+ is missing/,
        /a sorted set in slot \d+ expires at another time/,
      ])
        assert.match(message, part);
      return true;
    });
  });

  test('damaged and incomplete backups are refused before anything is written', async () => {
    const damaged = async (change: (path: string, file: string) => Promise<void>): Promise<string> => {
      const copy = await mkdtemp(join(parent, 'damaged-'));
      await cp(folder, copy, { recursive: true });
      const [file = ''] = (await readdir(copy)).filter((name) => name.endsWith('.rdb'));
      await change(copy, file);
      return copy;
    };
    const flipped = await damaged(async (path, file) => {
      const content = await readFile(join(path, file));
      content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
      await writeFile(join(path, file), content);
    });
    await assert.rejects(readFolder(flipped), /cannot be (?:read|restored)|SHA-256 differs/);
    const cut = await damaged((path, file) => truncate(join(path, file), 10_000));
    await assert.rejects(readFolder(cut), /ends too early/);
    const gone = await damaged((path, file) => rm(join(path, file)));
    await assert.rejects(readFolder(gone), /is not the whole backup: redis-node-.* is missing/);
    const swapped = await damaged(async (path, file) => {
      const other = (await readdir(path)).find((name) => name.endsWith('.rdb') && name !== file);
      await cp(join(path, other ?? ''), join(path, file));
    });
    await assert.rejects(readFolder(swapped), /SHA-256 differs/);
    await assert.rejects(readFolder(parent), /holds no RDB file/);
    await assert.rejects(readFolder(join(parent, 'nowhere')), /nowhere cannot be read: ENOENT/);
  });

  test('a server without room says so, and what it took stays', async () => {
    await using stack = new AsyncDisposableStack();
    const config = { maxmemory: '4mb', 'maxmemory-policy': 'noeviction' };
    const target = await startRedisCluster({ replicasPerMaster: 0, config });
    stack.defer(() => target.stop());
    await assert.rejects(restored(target, folder, 'empty'), /refused a key: OOM/);
  });
});

const library = '#!lua name=library\nredis.register_function("f", function() return 1 end)';

function addressOf({ addresses: [first = ''] }: TestCluster): readonly string[] {
  const [host = '', port = ''] = first.split(':');
  return ['-h', host, '-p', port];
}

async function expiry(cluster: TestCluster): Promise<number> {
  const { stdout } = await cluster.cli('-c', ...addressOf(cluster), 'PEXPIRETIME', 'expiring');
  return Number(stdout);
}
