import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  keysThat,
  masterOrdinalOf,
  mastersOf,
  readKeys,
  replicaCounts,
  settled,
  startAll,
  writeKeys,
} from './cluster.ts';
import { type SimulatedPods, simulatePods } from './simulatedPods.ts';

const keys = keysThat.areWritten;

async function withPods(work: (pods: SimulatedPods) => Promise<void>, password?: string): Promise<void> {
  const pods = await simulatePods(password === undefined ? {} : { password });
  try {
    await work(pods);
  } finally {
    await pods.dispose();
  }
}

test('six empty pods form three masters and three replicas by their ordinals', async (t) => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    t.diagnostic(`formed in ${(await pods.allReady(60)).toFixed(1)} s`);
    await settled(pods, 6);
    const views = await pods.ownViews();
    assert.deepEqual(
      mastersOf(views).map((view) => view.slots),
      [['0-5460'], ['5461-10921'], ['10922-16383']],
    );
    assert.deepEqual(
      [3, 4, 5].map((ordinal) => masterOrdinalOf(views, ordinal)),
      [0, 1, 2],
    );
  });
});

test('a password of awkward characters guards every node, and the scripts still reach them', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.match(await pods.askWithoutPassword(0, ['PING']), /NOAUTH/);
  }, `p"a'ss \\ w#rd\n`);
});

test('all pods killed and back at rotated addresses: one cluster with every key', async (t) => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    const before = (await pods.ownViews()).map((view) => view.id);
    await Promise.all([0, 1, 2, 3, 4, 5].map((ordinal) => pods.kill(ordinal)));
    for (let ordinal = 0; ordinal < 6; ordinal++) await pods.start(ordinal, ((ordinal + 1) % 6) + 1);
    t.diagnostic(`whole again in ${(await pods.allReady(60)).toFixed(1)} s`);
    assert.deepEqual(
      (await pods.ownViews()).map((view) => view.id),
      before,
    );
    await settled(pods, 6);
    assert.equal(await readKeys(pods, 0), keys);
  });
});

test('three more pods join as replicas, one for each master', async (t) => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await startAll(pods, 6, 9);
    t.diagnostic(`joined in ${(await pods.allReady(60)).toFixed(1)} s`);
    await settled(pods, 9);
    const views = await pods.ownViews();
    assert.deepEqual(replicaCounts(views), [2, 2, 2]);
    assert.deepEqual(
      [6, 7, 8].map((ordinal) => masterOrdinalOf(views, ordinal)),
      [0, 1, 2],
    );
  });
});

test('while an operation holds the cluster no pod joins; an expired hold stops nobody', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await pods.connectAs('rck8s-hold-1000000000');
    const release = await pods.connectAs(`rck8s-hold-${String(Math.floor(Date.now() / 1000) + 600)}`);
    await pods.start(6);
    await sleep(4000);
    assert.match(await pods.ask(6, ['CLUSTER', 'INFO']), /cluster_known_nodes:1\r/);
    assert.match(pods.agentLog(6), /waiting: an operation is changing/);
    assert.equal(await pods.isReady(6), false);
    release();
    await pods.allReady(60);
    await settled(pods, 7);
  });
});

test('preStop hands a master over to the replica with the lowest ordinal', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 9);
    await pods.allReady(60);
    await settled(pods, 9);
    await writeKeys(pods);
    // Which of the nine follow which master depends on who was there first.
    const before = await pods.ownViews();
    const newMasters = before
      .map(({ ordinal }) => ordinal)
      .filter((ordinal) => masterOrdinalOf(before, ordinal) === 0);
    assert.equal(newMasters.length, 2);
    await pods.stop(0);
    assert.match(pods.agentLog(0), /failing over to .*: OK/);
    const [view] = (await pods.ownViews()).filter(({ slots }) => slots[0] === '0-5460');
    assert.equal(view?.ordinal, Math.min(...newMasters));
    assert.equal(await readKeys(pods, 1), keys);
    await pods.start(0);
    await pods.allReady(60);
    assert.equal(masterOrdinalOf(await pods.ownViews(), 0), view.ordinal);
  });
});

test('all pods stopped at once: whole again with every key when they are back', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    await Promise.all([5, 4, 3, 2, 1, 0].map((ordinal) => pods.stop(ordinal)));
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.equal(await readKeys(pods, 0), keys);
  });
});

test('a master whose volume is gone: its replica takes over, the pod joins anew, the old id is forgotten', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    await pods.kill(1);
    await pods.loseVolume(1);
    await pods.start(1, 11);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.equal(masterOrdinalOf(await pods.ownViews(), 1), 4);
    assert.equal(await readKeys(pods, 0), keys);
  });
});

test('pod 0 lost its volume while all were down: no second cluster, and the shard comes back from its replica', async (t) => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    await Promise.all([0, 1, 2, 3, 4, 5].map((ordinal) => pods.kill(ordinal)));
    await pods.loseVolume(0);
    for (let ordinal = 0; ordinal < 6; ordinal++) await pods.start(ordinal, ordinal + 11);
    t.diagnostic(`whole again in ${(await pods.allReady(60)).toFixed(1)} s`);
    await settled(pods, 6);
    assert.match(pods.agentLog(3), /lost its volume/);
    assert.equal(await readKeys(pods, 1), keys);
  });
});

test('an empty pod at the address of a lost master does not make its replica drop the keys', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    await pods.kill(1);
    await pods.loseVolume(1);
    await pods.start(1);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.equal(masterOrdinalOf(await pods.ownViews(), 1), 4);
    assert.equal(await readKeys(pods, 0), keys);
  });
});

test('a master that finds its dataset missing does not serve its slots empty', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    await pods.kill(2);
    await pods.deleteDataset(2);
    await pods.start(2);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.equal(masterOrdinalOf(await pods.ownViews(), 2), 5);
    assert.equal(await readKeys(pods, 0), keys);
  });
});
