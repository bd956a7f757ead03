import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysThat, readKeys, replicaOf, settled, startAll, until, writeKeys } from './cluster.ts';
import { type SimulatedPods, type SimulatedPodsOptions, simulatePods } from './simulatedPods.ts';

const all = [0, 1, 2, 3, 4, 5];

/** Two clusters of the same name and port; the second uses the first one's network, at addresses of its own. */
async function withTwoClusters(
  first: SimulatedPodsOptions,
  second: SimulatedPodsOptions,
  work: (a: SimulatedPods, b: SimulatedPods) => Promise<void>,
): Promise<void> {
  const a = await simulatePods({ ...first, namespace: 'first' });
  try {
    const b = await simulatePods({ ...second, namespace: 'second', net: a.net });
    try {
      await startAll(a, 0, 6);
      for (const ordinal of all) await b.start(ordinal, 11 + ordinal);
      await Promise.all([a.allReady(60), b.allReady(60)]);
      await writeKeys(a, 'first');
      await writeKeys(b, 'second');
      await sleep(3500);
      await work(a, b);
    } finally {
      await b.dispose();
    }
  } finally {
    await a.dispose();
  }
}

async function areApart(a: SimulatedPods, b: SimulatedPods): Promise<void> {
  await Promise.all([a.allReady(90), b.allReady(90)]);
  await Promise.all([settled(a, 6), settled(b, 6)]);
  const ids = async (pods: SimulatedPods): Promise<ReadonlySet<string>> =>
    new Set((await pods.ownViews()).map((view) => view.id));
  const [ofA, ofB] = [await ids(a), await ids(b)];
  for (const [pods, own] of [
    [a, ofA],
    [b, ofB],
  ] as const)
    for (const ordinal of all) {
      const nodes = (await pods.ask(ordinal, ['CLUSTER', 'NODES'])).trim().split('\n');
      assert.deepEqual(new Set(nodes.map((line) => line.split(' ')[0])), own);
    }
  assert.equal(await readKeys(a, 0, 'first'), keysThat.areWritten);
  assert.equal(await readKeys(b, 0, 'second'), keysThat.areWritten);
  assert.equal(await readKeys(a, 0, 'second'), 0);
  assert.equal(await readKeys(b, 0, 'first'), 0);
}

const passwords: readonly (readonly [string, SimulatedPodsOptions, SimulatedPodsOptions])[] = [
  ['no password', {}, {}],
  ['the same password', { password: 'same' }, { password: 'same' }],
  ['different passwords', { password: 'one' }, { password: 'two' }],
];
for (const [which, first, second] of passwords) {
  test(`two clusters, ${which}, started again on each other's addresses: never merge`, async () => {
    await withTwoClusters(first, second, async (a, b) => {
      await Promise.all(all.flatMap((ordinal) => [a.kill(ordinal), b.kill(ordinal)]));
      for (const ordinal of all) {
        await a.start(ordinal, 11 + ordinal);
        await b.start(ordinal, 1 + ordinal);
      }
      await sleep(8000);
      await areApart(a, b);
    });
  });
}

test("another cluster's master at the address of a dead one does not empty its running replica", async () => {
  await withTwoClusters({}, {}, async (a, b) => {
    const replica = await replicaOf(a, 1);
    // Otherwise it is promoted before anything can happen.
    await a.ask(replica, ['CONFIG', 'SET', 'cluster-replica-no-failover', 'yes']);
    const held = await a.ask(replica, ['DBSIZE']);
    await a.kill(1);
    await b.kill(2);
    await sleep(4500);
    await b.start(2, 2);
    await sleep(6000);
    assert.equal(await a.ask(replica, ['DBSIZE']), held);
    await a.ask(replica, ['CONFIG', 'SET', 'cluster-replica-no-failover', 'no']);
    await a.start(1, 30);
    await areApart(a, b);
  });
});

test('two masters die at once and swap addresses while their replicas run on: it heals by itself', async (t) => {
  const pods = await simulatePods();
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods, 'key');
    await sleep(3500);
    await Promise.all([pods.kill(0), pods.kill(1)]);
    await pods.start(0, 2);
    await pods.start(1, 1);
    t.diagnostic(`whole again in ${(await pods.allReady(90)).toFixed(1)} s`);
    await settled(pods, 6);
    assert.equal(await readKeys(pods, 2, 'key'), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});

test('a master that was replaced while it was away takes no write, though it is the first to come back', async () => {
  const pods = await simulatePods();
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods, 'key');
    const newMaster = await replicaOf(pods, 0);
    await pods.kill(0);
    await until(async () => {
      const views = await pods.ownViews();
      return views.some(({ ordinal, slots }) => ordinal === newMaster && slots.length > 0) ? true : undefined;
    });
    await sleep(2000);
    await Promise.all(all.filter((ordinal) => ordinal !== 0).map((ordinal) => pods.kill(ordinal)));
    await pods.start(0, 40);
    // Slot 0 to 5460 is its own: {06S} is slot 0.
    for (const end = performance.now() + 8000; performance.now() < end;) {
      assert.doesNotMatch(await pods.ask(0, ['SET', '{06S}', 'lost']), /OK/);
      await sleep(200);
    }
    for (const ordinal of [1, 2, 3, 4, 5]) await pods.start(ordinal, 40 + ordinal);
    await pods.allReady(90);
    await settled(pods, 6);
    assert.equal((await pods.ownViews())[0]?.role, 'slave');
    assert.equal(await readKeys(pods, 1, 'key'), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});
