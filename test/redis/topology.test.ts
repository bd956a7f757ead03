import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../src/operations/plans/plan.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { planForget } from '../../src/operations/forget.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { planReplicate } from '../../src/operations/replicate.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import {
  startRedisCluster,
  type ClusterNode,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import { fill } from '../support/redis/fill.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  clusters.push(cluster);
  return cluster;
}

function node(cluster: TestCluster, index: number): ClusterNode {
  const found = cluster.nodes[index];
  assert.ok(found, `there is no node ${index}`);
  return found;
}

const run = (cluster: TestCluster, plan: Plan): Promise<PlanResult> =>
  runPlan(plan, runPorts(cluster, { readSnapshot: () => readAnyway(cluster) }));

async function member(cluster: TestCluster, { id }: ClusterNode): Promise<RedisNode> {
  const found = (await readAnyway(cluster)).nodes.find((one) => one.id === id);
  assert.ok(found);
  return found;
}

/** Reads until the cluster looks as wanted; elections and heartbeats take their time on a busy machine. */
async function until(
  cluster: TestCluster,
  what: string,
  isSo: (snapshot: ClusterSnapshot) => boolean,
): Promise<ClusterSnapshot> {
  const end = performance.now() + 60_000;
  for (;;) {
    const snapshot = await readAnyway(cluster);
    if (isSo(snapshot)) return snapshot;
    assert.ok(performance.now() < end, `${what} did not come within a minute`);
    await sleep(100);
  }
}

describe('the shape of a cluster', { timeout: 300_000 }, () => {
  test('replicas are promoted while clients write, and their masters back again at once; nothing is lost', async () => {
    const cluster = await start({ config: { 'cluster-node-timeout': '5000' } });
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    for (const index of [0, 1, 2]) {
      const [master, replica] = [node(cluster, index), node(cluster, index + 3)];
      await run(cluster, planPromote(await readAnyway(cluster), { node: replica.id }));
      assert.equal((await member(cluster, replica)).role, 'master');
      assert.equal((await member(cluster, master)).masterId, replica.id);
      const back = planPromote(await readAnyway(cluster), { node: master.id });
      await run(cluster, back);
      assert.equal((await run(cluster, back)).skipped, 1, 'run twice, it is skipped');
    }
    const report = await chaos.stop();
    assert.deepEqual(report.losses, []);
    assert.ok(report.acknowledged > 0);
    // An election that the others deny holds writes up for 5 s.
    assert.ok(report.longestGapMs < 3_000, `${report.longestGapMs} ms without a write`);
  });

  test('with its master frozen a replica is elected by force only', async () => {
    const cluster = await start({
      config: { 'cluster-replica-validity-factor': '0', 'cluster-node-timeout': '60000' },
    });
    const [master, replica] = [node(cluster, 1), node(cluster, 4)];
    cluster.kill(master);
    const snapshot = await until(cluster, 'silence', ({ nodes }) =>
      nodes.some(({ id, view }) => id === master.id && view === undefined),
    );
    assert.throws(() => planPromote(snapshot, { node: replica.id }), /how "force"/);
    assert.throws(() => planPromote(snapshot, { node: replica.id, how: 'takeover' }), /Most masters answer/);
    await run(cluster, planPromote(snapshot, { node: replica.id, how: 'force' }));
    assert.equal((await member(cluster, replica)).role, 'master');
  });

  test('a replica that waits for its turn is waited for, and not one whose new master died', async () => {
    const config = { 'repl-diskless-sync-delay': '6', 'cluster-node-timeout': '60000' };
    const cluster = await start({ config });
    const [second, third, replica] = [node(cluster, 1), node(cluster, 2), node(cluster, 3)];
    const follow = async (master: ClusterNode, report: RunPorts['report']): Promise<PlanResult> => {
      let seconds = 0;
      const now = (): number => seconds++ * 1000;
      const plan = planReplicate(await readAnyway(cluster), { node: replica.id, master: master.id });
      return await runPlan(plan, runPorts(cluster, { readSnapshot: () => readAnyway(cluster), now, report }));
    };
    const told: string[] = [];
    await follow(second, ({ text }) => told.push(text));
    assert.ok(told.filter((text) => text.includes(': waiting for ')).length > 30);
    await assert.rejects(
      follow(third, ({ text }) => {
        if (text.includes(': waiting for ')) cluster.kill(third);
      }),
      new RegExp(
        `:${replica.port} follows \\S+:${third.port}: no copy was under way for 30 s\\. It keeps trying`,
      ),
    );
    await cluster.restart(third);
    await until(cluster, 'the copy', ({ nodes }) =>
      nodes.some(
        ({ id, masterId, view }) => id === replica.id && masterId === third.id && view?.replication.linkUp,
      ),
    );
  });

  test('a replica moves to another master and has its copy; all are spread again', async () => {
    const cluster = await start({ config: { 'repl-diskless-sync-delay': '0' } });
    const [first, second, replica] = [node(cluster, 0), node(cluster, 1), node(cluster, 3)];
    await cluster.cli('-c', 'SET', 'colour', 'blue');
    await run(cluster, planReplicate(await readAnyway(cluster), { node: replica.id, master: second.id }));
    const moved = await member(cluster, replica);
    assert.equal(moved.masterId, second.id);
    assert.equal(moved.view?.keys, (await member(cluster, second)).view?.keys);
    const { steps } = await run(cluster, planReplicate(await readAnyway(cluster), { spread: true }));
    assert.equal(steps, 1);
    const { nodes } = await readAnyway(cluster);
    assert.equal(nodes.filter(({ masterId }) => masterId === first.id).length, 1);
  });

  test('a replica that is gone is forgotten by all, and by those that run it leaves by itself', async () => {
    const cluster = await start({ config: { appendonly: 'yes' } });
    await fill(
      cluster,
      Array.from({ length: 300 }, (_, i) => ['SET', Buffer.from(`key:${i}`), 'x'] as const),
    );
    const [gone, leaving] = [node(cluster, 3), node(cluster, 4)];
    cluster.kill(gone);
    await until(cluster, 'the failure', ({ unknownNodes, nodes }) =>
      [...unknownNodes.map(({ flags }) => flags), ...nodes.map(({ health }) => [health])].some(
        (words) => words.includes('fail') || words.includes('failed'),
      ),
    );
    await run(cluster, planForget(await readAnyway(cluster), { node: gone.id }));
    await run(cluster, planForget(await readAnyway(cluster), { node: leaving.id }));
    const { nodes, unknownNodes } = await readAnyway(cluster);
    assert.equal(nodes.length, 4);
    assert.deepEqual(unknownNodes, []);
    for (const { view } of nodes) assert.equal(view?.others.length, 3);
    assert.match(
      (await cluster.cli('--cluster', 'check', cluster.addresses[0] ?? '')).stdout,
      /All 16384 slots covered/,
    );
    // Its append-only file still has the copy if nobody emptied it.
    cluster.kill(leaving, 'SIGTERM');
    await cluster.restart(leaving);
    const alone = await connectNode(leaving, {}, { connectTimeoutMs: 5_000, commandTimeoutMs: 5_000 });
    assert.equal(await alone.call('DBSIZE'), 0);
    alone.close();
  });

  test('nodes that do not know each other any more are introduced again', async () => {
    const cluster = await start();
    const [one, other] = [node(cluster, 1), node(cluster, 5)];
    for (const index of [0, 1, 2, 3, 4]) {
      const connection = await cluster.dialer.dial(node(cluster, index).id);
      await connection.call('CLUSTER', 'FORGET', other.id).catch(() => undefined);
      connection.close();
    }
    const snapshot = await until(cluster, 'forgetting', ({ nodes }) =>
      nodes.some(
        ({ id, view }) => id === one.id && view?.others.every((line) => line.id !== other.id) === true,
      ),
    );
    const plan = await healPlan(cluster, snapshot);
    assert.ok(plan.steps.every(({ kind }) => kind === 'meet'));
    await run(cluster, plan);
    for (const { view } of (await readAnyway(cluster)).nodes) assert.equal(view?.others.length, 5);
  });

  test('a move of slots that was interrupted is finished forward', async () => {
    const cluster = await start();
    const [source, target] = [node(cluster, 0), node(cluster, 1)];
    const [from, to] = [await cluster.dialer.dial(source.id), await cluster.dialer.dial(target.id)];
    await from.call('SET', 'bar', 'kept');
    const slot = Number(await from.call('CLUSTER', 'KEYSLOT', 'bar'));
    const owner = slot <= 5460;
    assert.ok(owner, `bar is in slot ${slot}`);
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
    await run(cluster, await healPlan(cluster));
    assert.equal(await to.call('GET', 'bar'), 'kept');
    from.close();
    to.close();
    const { nodes } = await readAnyway(cluster);
    assert.ok(
      nodes.every(({ view }) => view?.self.migrating.length === 0 && view.self.importing.length === 0),
    );
  });
});
