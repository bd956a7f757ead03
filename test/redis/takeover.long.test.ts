import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSnapshot, PodFacts } from '../../src/model/snapshot.ts';
import { UserError } from '../../src/model/errors.ts';
import { planPromote } from '../../src/operations/promote.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { connectNode } from '../../src/redis/connect.ts';
import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { assertWhole, nodeAt, plainWrites } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const nodeTimeoutMs = 2000;
const ref = { context: 'processes', namespace: 'test', name: 'redis-cluster' };

let cluster: TestCluster;
let impatient: ClusterDialer;
let dead: readonly [ClusterNode, ClusterNode];
let newMaster: ClusterNode;
let data: ReadonlyMap<string, string>;

before(async () => {
  cluster = await startRedisCluster({
    config: { appendonly: 'yes', 'cluster-node-timeout': String(nodeTimeoutMs) },
  });
  await fill(cluster, plainWrites(5000));
  data = await dumpAll(cluster);
  dead = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
  newMaster = nodeAt(cluster, 3);
  // A stopped process takes connections, and never answers.
  impatient = {
    credentials: {},
    dial: async (id) => {
      const node = cluster.nodes.find((one) => one.id === id);
      assert.ok(node);
      return await connectNode(node, {}, { connectTimeoutMs: 1000, commandTimeoutMs: 1000 });
    },
  };
});
after(() => cluster.stop());

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What Kubernetes would say of containers whose first processes are these servers. */
function podOf({ number, pid, host }: ClusterNode): PodFacts {
  const ended = !runs(pid);
  return {
    ...{ name: `redis-cluster-${number}`, namespace: 'test', uid: `uid-${number}`, ip: host },
    ...{ workload: 'redis-cluster', worker: 'worker-0', phase: 'Running', restarts: 0, container: 'redis' },
    ...{ image: 'redis:7', ready: !ended, deleting: false, ended },
    port: cluster.nodes[number]?.port ?? 0,
  };
}

async function readAsPods(): Promise<ClusterSnapshot> {
  const snapshot = await readAnyway({ ...cluster, dialer: impatient });
  const nodes = snapshot.nodes.map((node) => {
    const server = cluster.nodes.find(({ id }) => id === node.id);
    return server === undefined ? node : { ...node, pod: podOf(server) };
  });
  return { ...snapshot, ref, nodes };
}

async function until(what: string, isSo: (snapshot: ClusterSnapshot) => boolean): Promise<ClusterSnapshot> {
  const end = performance.now() + 60_000;
  for (;;) {
    const snapshot = await readAsPods();
    if (isSo(snapshot)) return snapshot;
    assert.ok(performance.now() < end, `${what} did not come within a minute`);
    await sleep(200);
  }
}

const areSilent = ({ nodes }: ClusterSnapshot): boolean =>
  nodes.filter(({ id, view }) => dead.some((one) => one.id === id) && view === undefined).length === 2;

const run = (plan: Plan): Promise<PlanResult> =>
  runPlan(plan, runPorts(cluster, { readSnapshot: readAsPods, dialer: impatient }));

describe('most masters gone at once', { timeout: 240_000 }, () => {
  test('masters that merely do not answer are not dead: no takeover, and nothing has changed when they are back', async () => {
    for (const node of dead) cluster.kill(node, 'SIGSTOP');
    try {
      const snapshot = await until('silence', areSilent);
      const request = { node: newMaster.id };
      assert.throws(
        () => planPromote(snapshot, request),
        /a coordinated failover is not possible.*how "takeover"/,
      );
      assert.throws(
        () => planPromote(snapshot, { ...request, how: 'force' }),
        /2 of 3 voting masters do not answer \(redis-cluster-0, redis-cluster-1\); .* too few to elect redis-cluster-3/,
      );
      assert.throws(
        () => planPromote(snapshot, { ...request, how: 'takeover' }),
        (error) => {
          assert.ok(error instanceof UserError && error.reason === 'unsafe');
          assert.match(
            error.message,
            /Nothing proves that redis-cluster-0, redis-cluster-1 stopped\. A master that does not answer may still be running/,
          );
          assert.match(error.message, /Nothing was changed/);
          return true;
        },
      );
    } finally {
      for (const node of dead) cluster.kill(node, 'SIGCONT');
    }
    await until('the answers', ({ nodes }) => nodes.every(({ view }) => view?.clusterState === 'ok'));
    assert.deepEqual(await dumpAll(cluster), data);
  });

  test('proven dead they are followed by a replica that asks nobody; the rest is elected, and the cluster serves', async () => {
    for (const node of dead) cluster.kill(node);
    await until('death', areSilent);
    // Longer than any election takes where there is a majority.
    await sleep(4 * nodeTimeoutMs);
    const snapshot = await until('death', areSilent);
    const replicas = snapshot.nodes.filter(({ role, view }) => role === 'replica' && view !== undefined);
    assert.equal(replicas.length, 3, 'no replica was elected');
    const unproven = { ...snapshot, ref: { addresses: cluster.addresses } };
    assert.throws(
      () => planPromote(unproven, { node: newMaster.id, how: 'takeover' }),
      /Nothing proves .* stopped/,
    );
    const plan = planPromote(snapshot, { node: newMaster.id, how: 'takeover' });
    assert.match(
      plan.warnings.join('\n'),
      /redis-cluster-0 \(\w+\): container redis of pod redis-cluster-0 has terminated/,
    );
    assert.equal(plan.losses.length, 2);
    assert.equal((await run(plan)).steps, 2);
    const served = await until('the other election', ({ nodes }) =>
      nodes.every(({ view }) => view === undefined || view.clusterState === 'ok'),
    );
    assert.equal(served.nodes.find(({ id }) => id === newMaster.id)?.role, 'master');
    const alive = { ...cluster, nodes: cluster.nodes.filter((node) => !dead.includes(node)) };
    assert.deepEqual(await dumpAll(alive), data);
    await fill(alive, [['SET', Buffer.from('afterwards'), 'served']]);
    assert.equal((await run(plan)).skipped, 2, 'run twice, both are skipped');
    for (const node of dead) await cluster.restart(node);
    await assertWhole(cluster, newMaster);
    const kept = await dumpAll(cluster);
    assert.ok(kept.delete('afterwards'));
    assert.deepEqual(kept, data);
  });

  test('a master that is back between the plan and the step is not overruled', async () => {
    const masters = (await readAsPods()).nodes.filter(({ role }) => role === 'master');
    const those = cluster.nodes.filter(({ id }) => masters.slice(0, 2).some((node) => node.id === id));
    for (const node of those) cluster.kill(node);
    const snapshot = await until(
      'death',
      ({ nodes }) => nodes.filter(({ view, pod }) => view === undefined && pod?.ended === true).length === 2,
    );
    const replica = snapshot.nodes.find(({ masterId }) => masterId === those[0]?.id);
    assert.ok(replica);
    const plan = planPromote(snapshot, { node: replica.id, how: 'takeover' });
    for (const node of those) await cluster.restart(node);
    await until('their return', ({ nodes }) => nodes.every(({ view }) => view !== undefined));
    await assert.rejects(run(plan), /Most masters answer|answers and is connected to it/);
  });
});
