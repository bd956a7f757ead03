import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planPromote } from '../../src/operations/promote.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { nodeAt, plainWrites } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

let cluster: TestCluster;
let dead: readonly [ClusterNode, ClusterNode];
let data: ReadonlyMap<string, string>;

before(async () => {
  cluster = await startRedisCluster({ config: { appendonly: 'yes', 'cluster-node-timeout': '1000' } });
  await fill(cluster, plainWrites(2000));
  data = await dumpAll(cluster);
  dead = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
});
after(() => cluster.stop());

async function until(what: string, isSo: (snapshot: ClusterSnapshot) => boolean): Promise<ClusterSnapshot> {
  const end = performance.now() + 60_000;
  for (;;) {
    const snapshot = await readAnyway(cluster);
    if (isSo(snapshot)) return snapshot;
    assert.ok(performance.now() < end, `${what} did not come within a minute`);
    await sleep(100);
  }
}

const run = (plan: Plan): Promise<PlanResult> =>
  runPlan(plan, runPorts(cluster, { readSnapshot: () => readAnyway(cluster) }));

const silent = ({ nodes }: ClusterSnapshot): readonly string[] =>
  nodes.filter(({ view }) => view === undefined).map(({ id }) => id);

describe('two of three masters killed, by address: nobody but a person can say that they are dead', () => {
  test('each refusal says what is gone and who has the data; the typed word brings all keys back', async () => {
    for (const node of dead) cluster.kill(node);
    const ids = dead.map(({ id }) => id);
    const snapshot = await until(
      'death',
      (read) =>
        silent(read).length === 2 &&
        read.nodes.every(({ view }) =>
          (view?.others ?? []).every(
            ({ id, linkState }) => !ids.includes(id) || linkState === 'disconnected',
          ),
        ),
    );
    const newMaster = nodeAt(cluster, 3).id;
    const gone = /2 of 3 voting masters do not answer \(.*\); 127\.0\.0\.1:\d+ has the data of .*, 127/;
    assert.throws(() => planPromote(snapshot, { node: newMaster }), gone);
    assert.throws(() => planPromote(snapshot, { node: newMaster, how: 'force' }), gone);
    assert.throws(() => planPromote(snapshot, { how: 'takeover' }), gone);
    assert.throws(() => planPromote(snapshot, { how: 'takeover', dead: [ids[0] ?? ''] }), /Nothing proves/);
    const plan = planPromote(snapshot, { how: 'takeover', dead: ids });
    assert.deepEqual(
      plan.steps.map((step) => step.kind === 'promote' && step.how),
      ['takeover', 'force'],
    );
    assert.equal((await run(plan)).steps, 2);
    const served = await until('the whole cluster', ({ nodes }) =>
      nodes.every(({ view }) => view === undefined || view.clusterState === 'ok'),
    );
    assert.equal(served.nodes.filter(({ role, slots }) => role === 'master' && slots.length > 0).length, 3);
    const alive = { ...cluster, nodes: cluster.nodes.filter((node) => !dead.includes(node)) };
    assert.deepEqual(await dumpAll(alive), data);
    await fill(alive, [['SET', Buffer.from('afterwards'), 'served']]);
    assert.equal((await run(plan)).skipped, 2, 'run twice, both are skipped');
  });

  test('the old masters come back as replicas of those that took their places, and every epoch is one node’s', async () => {
    for (const node of dead) await cluster.restart(node);
    const { nodes } = await until('six nodes in their roles', (read) =>
      read.nodes.every(({ id, role, view }) =>
        dead.some((one) => one.id === id)
          ? role === 'replica' && view?.replication.linkUp === true
          : view?.clusterState === 'ok',
      ),
    );
    const masters = nodes.filter(({ role }) => role === 'master');
    assert.equal(masters.length, 3);
    assert.equal(new Set(masters.map(({ configEpoch }) => configEpoch)).size, 3);
    const kept = await dumpAll(cluster);
    assert.ok(kept.delete('afterwards'));
    assert.deepEqual(kept, data);
  });

  test('a master that is back between the plan and its step is not overruled', async () => {
    const masters = (await readAnyway(cluster)).nodes.filter(({ role }) => role === 'master').slice(0, 2);
    const those = cluster.nodes.filter(({ id }) => masters.some((node) => node.id === id));
    for (const node of those) cluster.kill(node);
    const ids = those.map(({ id }) => id);
    const snapshot = await until(
      'death',
      (read) =>
        silent(read).length === 2 &&
        read.nodes.every(({ view }) =>
          (view?.others ?? []).every(
            ({ id, linkState }) => !ids.includes(id) || linkState === 'disconnected',
          ),
        ),
    );
    const plan = planPromote(snapshot, { how: 'takeover', dead: ids });
    for (const node of those) await cluster.restart(node);
    await until('their return', (read) => silent(read).length === 0);
    await assert.rejects(run(plan), /Most masters answer|answers and is connected to it/);
    await until('peace', ({ nodes }) => nodes.every(({ view }) => view?.clusterState === 'ok'));
    const kept = await dumpAll(cluster);
    assert.ok(kept.delete('afterwards'));
    assert.deepEqual(kept, data);
  });
});
