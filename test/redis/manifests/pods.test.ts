import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OwnView, type SimulatedPods, simulatePods } from './simulatedPods.ts';

const keys = 300;

async function withPods(
  work: (pods: SimulatedPods) => Promise<void>,
  password?: string,
): Promise<void> {
  const pods = await simulatePods(password === undefined ? {} : { password });
  try {
    await work(pods);
  } finally {
    await pods.dispose();
  }
}

async function startAll(pods: SimulatedPods, from: number, to: number): Promise<void> {
  for (let ordinal = from; ordinal < to; ordinal++) await pods.start(ordinal);
}

async function writeKeys(pods: SimulatedPods): Promise<void> {
  const commands = Array.from({ length: keys }, (_, i) => `SET key:${String(i)} ${String(i)}`);
  const answers = (await pods.ask(0, ['-c'], `${commands.join('\n')}\n`)).trim().split('\n');
  assert.equal(answers.filter((answer) => answer === 'OK').length, keys);
}

async function readKeys(pods: SimulatedPods, through: number): Promise<number> {
  const commands = Array.from({ length: keys }, (_, i) => `GET key:${String(i)}`);
  const lines = (await pods.ask(through, ['-c'], `${commands.join('\n')}\n`)).trim().split('\n');
  const answers = lines.filter((line) => !line.startsWith('-> Redirected'));
  return answers.filter((answer, i) => answer === String(i)).length;
}

function mastersOf(views: readonly OwnView[]): readonly OwnView[] {
  return views.filter((view) => view.slots.length > 0);
}

function replicaCounts(views: readonly OwnView[]): readonly number[] {
  return mastersOf(views).map((master) => views.filter((view) => view.masterId === master.id).length);
}

function masterOrdinalOf(views: readonly OwnView[], ordinal: number): number | undefined {
  const masterId = views.find((view) => view.ordinal === ordinal)?.masterId;
  return views.find((view) => view.id === masterId)?.ordinal;
}

async function assertWhole(pods: SimulatedPods, count: number): Promise<void> {
  const views = await pods.ownViews();
  assert.equal(views.length, count);
  for (const { ordinal } of views) {
    const info = await pods.ask(ordinal, ['CLUSTER', 'INFO']);
    assert.match(info, /cluster_slots_ok:16384/);
    assert.match(info, new RegExp(`cluster_known_nodes:${String(count)}\\r`));
  }
}

void test('six empty pods form three masters and three replicas by their ordinals', async (t) => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    t.diagnostic(`formed in ${(await pods.allReady(20)).toFixed(1)} s`);
    await assertWhole(pods, 6);
    const views = await pods.ownViews();
    assert.deepEqual(mastersOf(views).map((view) => view.slots), [['0-5460'], ['5461-10921'], ['10922-16383']]);
    assert.deepEqual([3, 4, 5].map((ordinal) => masterOrdinalOf(views, ordinal)), [0, 1, 2]);
  });
});

void test('a password of awkward characters guards every node, and the scripts still reach them', async () => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(20);
    await assertWhole(pods, 6);
    assert.match(await pods.askWithoutPassword(0, ['PING']), /NOAUTH/);
  }, `p"a'ss \\ w#rd\n`);
});

void test('all pods killed and back at rotated addresses: one cluster with every key', async (t) => {
  await withPods(async (pods) => {
    await startAll(pods, 0, 6);
    await pods.allReady(20);
    await writeKeys(pods);
    const before = (await pods.ownViews()).map((view) => view.id);
    await sleep(1500);
    await Promise.all([0, 1, 2, 3, 4, 5].map((ordinal) => pods.kill(ordinal)));
    for (let ordinal = 0; ordinal < 6; ordinal++) await pods.start(ordinal, ((ordinal + 1) % 6) + 1);
    t.diagnostic(`whole again in ${(await pods.allReady(20)).toFixed(1)} s`);
    assert.deepEqual((await pods.ownViews()).map((view) => view.id), before);
    await assertWhole(pods, 6);
    assert.equal(await readKeys(pods, 0), keys);
  });
});
