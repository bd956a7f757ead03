import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  keysThat,
  masterOrdinalOf,
  mastersOf,
  readKeys,
  replicaCounts,
  replicaOf,
  settled,
  startAll,
  until,
  writeKeys,
} from './cluster.ts';
import { type SimulatedPods, simulatePods } from './simulatedPods.ts';

/** The pods whose master is on the same worker. */
async function shared(pods: SimulatedPods, workers: ReadonlyMap<number, string>): Promise<readonly number[]> {
  const views = await pods.ownViews();
  return views.flatMap(({ ordinal }) => {
    const master = masterOrdinalOf(views, ordinal);
    return master !== undefined && workers.get(master) === workers.get(ordinal) ? [ordinal] : [];
  });
}

test('shards are spread over workers, and again after a drain has put a master and its replica together', async (t) => {
  const pods = await simulatePods({ env: { LOOK_EVERY: '2' } });
  const workers = new Map(Array.from('aabbcc', (worker, ordinal) => [ordinal, worker]));
  try {
    for (const [ordinal, worker] of workers) await pods.start(ordinal, ordinal + 1, worker);
    await pods.allReady(60);
    assert.deepEqual(
      mastersOf(await pods.ownViews()).map(({ ordinal }) => ordinal),
      [0, 2, 4],
    );
    assert.deepEqual(await shared(pods, workers), []);
    await writeKeys(pods);
    const moved = await replicaOf(pods, 0);
    await pods.stop(moved);
    workers.set(moved, 'a');
    await pods.start(moved, 30, 'a');
    const started = performance.now();
    await until(async () => ((await shared(pods, workers)).length === 0 ? true : undefined));
    await pods.allReady(60);
    t.diagnostic(`apart again after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    assert.match(pods.agentLog(moved), /share a Kubernetes node, exchange/);
    await settled(pods, 6);
    assert.equal(mastersOf(await pods.ownViews()).length, 3);
    assert.equal(await readKeys(pods, 1), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});

test('a master that has no replica gets one of a shard that has two', async (t) => {
  const pods = await simulatePods({ env: { LOOK_EVERY: '2' } });
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await settled(pods, 6);
    await writeKeys(pods);
    const master = mastersOf(await pods.ownViews()).find(({ ordinal }) => ordinal === 0);
    assert.ok(master);
    const moved = await replicaOf(pods, 2);
    assert.equal((await pods.ask(moved, ['CLUSTER', 'REPLICATE', master.id])).trim(), 'OK');
    assert.deepEqual(replicaCounts(await pods.ownViews()).toSorted(), [0, 1, 2]);
    const started = performance.now();
    await until(async () =>
      replicaCounts(await pods.ownViews()).every((count) => count === 1) ? true : undefined,
    );
    t.diagnostic(`one replica each again after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    await pods.allReady(60);
    assert.equal(await readKeys(pods, 1), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});
