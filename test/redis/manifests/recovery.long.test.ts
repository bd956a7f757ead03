import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysThat, masterOrdinalOf, readKeys, settled, startAll, until, writeKeys } from './cluster.ts';
import { type SimulatedPods, simulatePods } from './simulatedPods.ts';

const seven = [0, 1, 2, 3, 4, 5, 6];
/** Longer than a tick, so that every agent has written down how far its copy has come. */
const oneTick = 4000;

/** Pods 3 and 6 follow pod 0; then every pod is killed, pod 0 loses its volume, and all come back elsewhere. */
async function loseMaster(pods: SimulatedPods, before: () => Promise<void>): Promise<void> {
  await startAll(pods, 0, 6);
  await pods.allReady(60);
  await pods.start(6);
  await pods.allReady(60);
  assert.equal(masterOrdinalOf(await pods.ownViews(), 6), 0);
  await writeKeys(pods, 'early');
  await sleep(oneTick);
  await before();
  await pods.loseVolume(0);
  for (const ordinal of seven) await pods.start(ordinal, 11 + ordinal);
}

test('a master lost its volume while all were down: of its two replicas the one that had come further takes over', async () => {
  const pods = await simulatePods();
  try {
    await loseMaster(pods, async () => {
      // The one with the lower number is the one that lags behind.
      await pods.kill(3);
      await writeKeys(pods, 'late');
      await sleep(oneTick);
      await Promise.all([0, 1, 2, 4, 5, 6].map((ordinal) => pods.kill(ordinal)));
    });
    await pods.allReady(90);
    await settled(pods, 7);
    const views = await pods.ownViews();
    assert.deepEqual([masterOrdinalOf(views, 3), masterOrdinalOf(views, 0)], [6, 6]);
    assert.equal(await readKeys(pods, 1, 'early'), keysThat.areWritten);
    assert.equal(await readKeys(pods, 1, 'late'), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});

test('copies that cannot be compared are left for a person to decide', async () => {
  const pods = await simulatePods();
  try {
    await loseMaster(pods, async () => {
      await Promise.all(seven.map((ordinal) => pods.kill(ordinal)));
      await rm(join(pods.folder(6), 'data', '.progress'));
    });
    await until(() => (pods.agentLog(3).includes('cannot be compared: a person') ? true : undefined));
    await sleep(3000);
    const views = await pods.ownViews();
    assert.ok(views.every(({ slots }) => slots[0] !== '0-5460'));
    for (const ordinal of [3, 6]) assert.ok(Number(await pods.ask(ordinal, ['DBSIZE'])) > 0);
  } finally {
    await pods.dispose();
  }
});

test('pods scaled away are forgotten, one that is merely down is not; with their volumes they are replicas again', async () => {
  const pods = await simulatePods({ env: { GONE_SECONDS: '5' } });
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await startAll(pods, 6, 8);
    await pods.allReady(60);
    await writeKeys(pods);
    const before = await pods.ownViews();
    const idOf4 = before.find(({ ordinal }) => ordinal === 4)?.id ?? '';
    await pods.kill(4);
    for (const ordinal of [7, 6]) await pods.stop(ordinal);
    const known = async (): Promise<readonly string[]> =>
      await Promise.all([0, 1, 2, 3, 5].map((ordinal) => pods.ask(ordinal, ['CLUSTER', 'NODES'])));
    await until(async () => {
      const lists = await known();
      return lists.every((list) => list.trim().split('\n').length === 6) ? true : undefined;
      // One that another node still knew comes back by gossip once, when a minute's ban of the forgotten id is over.
    }, 180);
    assert.ok((await known()).every((list) => list.includes(idOf4)));
    for (const ordinal of [4, 6, 7]) await pods.start(ordinal, 20 + ordinal);
    await pods.allReady(90);
    await settled(pods, 8);
    const after = await pods.ownViews();
    assert.deepEqual(
      after.map(({ id, masterId }) => [id, masterId]),
      before.map(({ id, masterId }) => [id, masterId]),
    );
    assert.equal(await readKeys(pods, 7), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});
