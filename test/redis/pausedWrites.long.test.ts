import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { keySlot } from '../../src/model/keySlot.ts';
import { hasSlot } from '../../src/model/slots.ts';
import { backUp } from '../../src/operations/backup.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { backupFolder } from '../../src/ui/questions/backupFolder.ts';
import { plain, restored } from '../support/redis/backups.ts';
import { fill } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

describe('a backup while writes are paused', { timeout: 180_000 }, () => {
  let cluster: TestCluster;
  let parent: string;
  before(async () => {
    cluster = await startRedisCluster({ config: { 'repl-diskless-sync-delay': '1' } });
    parent = await mkdtemp(join(tmpdir(), 'paused-'));
    await fill(cluster, plain);
  });
  after(async () => {
    await cluster.stop();
    await rm(parent, { recursive: true });
  });

  const run = async (name: string, signal = new AbortController().signal): Promise<string> => {
    const { path, place, discard } = backupFolder(parent, name, new Date());
    await backUp(await readSnapshot(cluster), false, {
      ...{ dialer: cluster.dialer, redis, place, discard, signal, pausesWrites: true },
      readSnapshot: () => readSnapshot(cluster),
      report: () => undefined,
      clock: () => Date.now(),
    });
    return path;
  };
  /** A key of each master. */
  const keys = async (of: TestCluster): Promise<readonly { readonly id: string; readonly key: string }[]> => {
    const { nodes } = await readSnapshot(of);
    return ['ledger a', 'ledger b', 'ledger c', 'ledger d', 'ledger e'].map((key) => {
      const owner = nodes.find(({ role, slots }) => role === 'master' && hasSlot(slots, keySlot(key)));
      return { id: owner?.id ?? assert.fail(), key };
    });
  };
  /** How long a write waits, in ms, on the one that waits longest. */
  const slowestWrite = async (): Promise<number> => {
    const begun = performance.now();
    for (const { id, key } of await keys(cluster))
      await withConnection(cluster, id, (connection) => connection.call('INCRBY', key, 0));
    return performance.now() - begun;
  };

  test('is of one moment on all shards', async (context) => {
    const ledgers = await keys(cluster);
    assert.ok(new Set(ledgers.map(({ id }) => id)).size > 1);
    const state = { isOver: false, rounds: 0, longest: 0 };
    // One after the other: at any moment each says as much as the next one, or one more.
    const counting = (async () => {
      const connections = await Promise.all(ledgers.map(({ id }) => cluster.dialer.dial(id)));
      do {
        for (const [index, { key }] of ledgers.entries()) {
          const begun = performance.now();
          await connections[index]?.call('INCR', key);
          state.longest = Math.max(state.longest, performance.now() - begun);
        }
        state.rounds += 1;
      } while (!state.isOver);
      for (const connection of connections) connection.close();
    })();
    const folder = await run('ledgers');
    state.isOver = true;
    await counting;
    context.diagnostic(`${state.rounds} rounds, a write waited ${state.longest.toFixed(0)} ms at most`);
    assert.ok(state.longest > 100 && state.longest < 20_000);
    const target = await startRedisCluster({ masters: 4, replicasPerMaster: 0 });
    try {
      await restored(target, folder, 'empty');
      const values = [];
      for (const { id, key } of await keys(target))
        values.push(Number(await withConnection(target, id, (connection) => connection.call('GET', key))));
      const [first = 0, ...others] = values;
      const last = others.at(-1) ?? 0;
      assert.ok(first > 0 && values.every((value) => value === first || value === last), values.join());
      assert.ok(first - last <= 1 && first >= last, values.join());
    } finally {
      await target.stop();
    }
  });

  test('writes no longer wait when it is cancelled, or the servers take too long', async () => {
    const set = async (seconds: string): Promise<void> => {
      for (const { id } of cluster.nodes)
        await withConnection(cluster, id, (one) =>
          one.call('CONFIG', 'SET', 'repl-diskless-sync-delay', seconds),
        );
    };
    await set('60');
    const before = await readdir(parent);
    const stop = new AbortController();
    const stopped = run('stopped', stop.signal);
    setTimeout(() => {
      stop.abort();
    }, 1_500);
    await assert.rejects(stopped, { name: 'AbortError' });
    assert.ok((await slowestWrite()) < 1_000);
    await assert.rejects(run('late'), /did not all begin to send within 20 s.*Writes are no longer paused/);
    assert.ok((await slowestWrite()) < 1_000);
    assert.deepEqual(await readdir(parent), before);
    await set('1');
  });

  test('a user who may not pause is told so, and nothing is paused or written', async () => {
    const before = await readdir(parent);
    const [first] = cluster.nodes;
    assert.ok(first);
    const rule = (word: string): Promise<unknown> =>
      withConnection(cluster, first.id, (one) => one.call('ACL', 'SETUSER', 'default', word));
    await rule('-client|pause');
    await assert.rejects(run('denied'), /does not pause writes: NOPERM/);
    await rule('+client|pause');
    assert.ok((await slowestWrite()) < 1_000);
    assert.deepEqual(await readdir(parent), before);
  });
});
