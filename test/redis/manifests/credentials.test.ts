import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChaosClient } from '../../support/chaosClient.ts';
import { simulatePods, type SimulatedPods } from './simulatedPods.ts';

const all = [0, 1, 2, 3, 4, 5];
const old = `old p"a'ss \\ w#rd`;
const fresh = `new > "one" \\x41 $HOME`;

async function withPods(password: string, work: (pods: SimulatedPods) => Promise<void>): Promise<void> {
  const pods = await simulatePods({ password });
  try {
    await work(pods);
  } finally {
    await pods.dispose();
  }
}

/** Those of the pods whose server takes a password. */
async function accepting(pods: SimulatedPods, password: string): Promise<readonly number[]> {
  const answers = await Promise.all(all.map((ordinal) => pods.askWith(password, ordinal, ['PING'])));
  return all.filter((ordinal) => answers[ordinal]?.trim() === 'PONG');
}

async function until(what: string, reached: () => Promise<boolean>, pods: SimulatedPods): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await reached())) {
    if (performance.now() > end) assert.fail(`${what}:\n${all.map(pods.agentLog).join('')}`);
    await sleep(250);
  }
}

/** Every replica is in touch with its master. */
async function linksUp(pods: SimulatedPods, password: string): Promise<boolean> {
  const infos = await Promise.all(
    all.map((ordinal) => pods.askWith(password, ordinal, ['INFO', 'replication'])),
  );
  return infos.every((info) => info.includes('role:master') || info.includes('master_link_status:up'));
}

test('without the password that is required a pod refuses to start, and says how to make it', async () => {
  await withPods('', async (pods) => {
    await pods.start(0);
    await sleep(1500);
    assert.match(pods.serverLog(0), /not starting: there is no password.*redis-cluster-auth/);
    assert.match(pods.serverLog(0), /kubectl -n simulated create secret generic redis-cluster-auth/);
    assert.equal(await pods.ask(0, ['PING']), '');
  });
});

test('a password is replaced pod by pod, with pods restarting in between, and nobody is cut off', async (t) => {
  await withPods(old, async (pods) => {
    for (const ordinal of all) await pods.start(ordinal);
    await pods.allReady(60);
    const before = await startChaosClient({ nodes: pods.addresses(), password: old });
    pods.setSecret({ password: fresh, previous: old });
    for (const ordinal of [3, 1, 0]) await pods.refreshSecret(ordinal);
    await until('three pods take it', async () => (await accepting(pods, fresh)).length === 3, pods);
    assert.equal((await accepting(pods, old)).length, 6);
    // One starts with both passwords while others know only the old one.
    await pods.kill(4);
    await pods.start(4);
    await until('the links are up', () => linksUp(pods, old), pods);
    for (const ordinal of [2, 5]) await pods.refreshSecret(ordinal);
    await until('all pods take it', async () => (await accepting(pods, fresh)).length === 6, pods);
    await until(
      'the agents say so',
      () => Promise.resolve(all.every((ordinal) => pods.agentLog(ordinal).includes('can be removed'))),
      pods,
    );
    assert.equal((await accepting(pods, old)).length, 6);
    const after = await startChaosClient({ nodes: pods.addresses(), password: fresh });
    const first = await before.stop();
    pods.setSecret({ password: fresh });
    for (const ordinal of [5, 0, 4]) await pods.refreshSecret(ordinal);
    await until('three pods drop it', async () => (await accepting(pods, old)).length === 3, pods);
    await pods.kill(3);
    await pods.start(3);
    await until('the links are up again', () => linksUp(pods, fresh), pods);
    for (const ordinal of [1, 2]) await pods.refreshSecret(ordinal);
    await until('all drop it', async () => (await accepting(pods, old)).length === 0, pods);
    assert.equal((await accepting(pods, fresh)).length, 6);
    for (const ordinal of all) {
      const masterauth = await pods.askWith(fresh, ordinal, ['CONFIG', 'GET', 'masterauth']);
      assert.equal(masterauth, `masterauth\n${fresh}\n`);
    }
    const second = await after.stop();
    t.diagnostic(`${String(first.acknowledged)} and ${String(second.acknowledged)} writes acknowledged`);
    for (const report of [first, second]) {
      assert.deepEqual([report.missing, report.stale, report.errors], [0, 0, []]);
    }
    for (const ordinal of all) {
      const story = pods.agentLog(ordinal) + pods.serverLog(ordinal);
      assert.ok(!story.includes(old) && !story.includes(fresh), 'the password is in no log');
    }
  });
});

test('an old password that leaves the Secret too early is kept until every pod takes the new one', async () => {
  await withPods(old, async (pods) => {
    for (const ordinal of all) await pods.start(ordinal);
    await pods.allReady(60);
    pods.setSecret({ password: fresh });
    for (const ordinal of [0, 3, 4]) await pods.refreshSecret(ordinal);
    await until('three pods take it', async () => (await accepting(pods, fresh)).length === 3, pods);
    await sleep(8000);
    assert.equal((await accepting(pods, old)).length, 6);
    assert.ok(await linksUp(pods, old));
    for (const ordinal of [1, 2, 5]) await pods.refreshSecret(ordinal);
    await until('all drop it', async () => (await accepting(pods, old)).length === 0, pods);
    assert.ok(await linksUp(pods, fresh));
    assert.equal(await pods.isReady(2), true);
    // And back again, given up half way.
    pods.setSecret({ password: 'third', previous: fresh });
    for (const ordinal of [0, 1]) await pods.refreshSecret(ordinal);
    await until('two pods take it', async () => (await accepting(pods, 'third')).length === 2, pods);
    pods.setSecret({ password: fresh });
    for (const ordinal of [0, 1]) await pods.refreshSecret(ordinal);
    await until('it is dropped', async () => (await accepting(pods, 'third')).length === 0, pods);
    assert.equal((await accepting(pods, fresh)).length, 6);
    assert.ok(await linksUp(pods, fresh));
  });
});
