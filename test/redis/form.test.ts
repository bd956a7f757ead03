import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { isUnformed } from '../../src/model/unformed.ts';
import { planForm, type FormRequest } from '../../src/operations/form.ts';
import { readFormServers } from '../../src/operations/forming/readServers.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import {
  startRedisCluster,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { nodeAt, plainWrites } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function isolatedServers(count: number, options: TestClusterOptions = {}): Promise<TestCluster> {
  const config = { 'repl-diskless-sync-delay': '0', ...options.config };
  const cluster = await startRedisCluster({
    ...options,
    ...{ masters: 0, replicasPerMaster: 0, spares: count, config },
  });
  clusters.push(cluster);
  return cluster;
}

async function planFor(
  cluster: TestCluster,
  request: FormRequest = {},
  addresses = cluster.addresses,
): Promise<Plan> {
  const snapshot: ClusterSnapshot = { ...(await readAnyway(cluster)), ref: { addresses } };
  return planForm(snapshot, request, await readFormServers(snapshot, cluster.dialer, redis));
}

const run = (cluster: TestCluster, plan: Plan): ReturnType<typeof runPlan> =>
  runPlan(plan, runPorts(cluster, { readSnapshot: () => readAnyway(cluster) }));

describe('empty servers that never formed a cluster', () => {
  test('six become three masters and three replicas, which take writes; run twice, nothing is done', async () => {
    const cluster = await isolatedServers(6);
    assert.ok(isUnformed(await readAnyway(cluster)));
    const plan = await planFor(cluster);
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      ['introduce', 'formShard', 'formShard', 'formShard'],
    );
    assert.match(
      plan.steps[1]?.text ?? '',
      /^Give 127\.0\.0\.1:\d+ 5,461 slots \(0-5460\) and the replicas 127/,
    );
    assert.equal((await run(cluster, plan)).steps, 4);
    const { nodes } = await readAnyway(cluster);
    assert.ok(nodes.every(({ view }) => view?.clusterState === 'ok' && view.slotsAssigned === 16_384));
    assert.equal(nodes.filter(({ role }) => role === 'replica').length, 3);
    const epochs = nodes.filter(({ role }) => role === 'master').map(({ configEpoch }) => configEpoch);
    assert.equal(new Set(epochs).size, 3);
    await fill(cluster, plainWrites(500));
    assert.ok((await dumpAll(cluster)).size > 0);
    assert.equal((await run(cluster, plan)).skipped, 4);
    await assert.rejects(planFor(cluster), /is a cluster already/);
  });

  test('seven with a password become three masters, one of them with two replicas', async () => {
    const cluster = await isolatedServers(7, { password: 'se cret' });
    const connection = await cluster.dialer.dial(nodeAt(cluster, 6).id);
    await connection.call('CONFIG', 'SET', 'masterauth', '');
    await assert.rejects(planFor(cluster), /has no masterauth for replication.*Nothing was changed/);
    await connection.call('CONFIG', 'SET', 'masterauth', 'se cret');
    connection.close();
    const plan = await planFor(cluster, { masters: 3, replicasPerMaster: 1 });
    await run(cluster, plan);
    const { nodes } = await readAnyway(cluster);
    const masters = nodes.filter(({ role }) => role === 'master');
    const numbers = masters.map(({ id }) => nodes.filter(({ masterId }) => masterId === id).length);
    assert.deepEqual(numbers.sort(), [1, 1, 2]);
  });

  test('what was left after introductions, or after one shard, is finished by the same plan', async () => {
    const cluster = await isolatedServers(6);
    const plan = await planFor(cluster);
    await run(cluster, { ...plan, steps: plan.steps.slice(0, 1) });
    const again = await planFor(cluster);
    assert.equal(again.steps.length, 4, 'servers that know only each other are as good as new');
    const [, shard] = plan.steps;
    assert.ok(shard?.kind === 'formShard');
    const connection = await cluster.dialer.dial(shard.node);
    await redis.addSlots(connection, shard.slots);
    connection.close();
    assert.equal((await run(cluster, plan)).skipped, 1);
    assert.ok((await readAnyway(cluster)).nodes.every(({ view }) => view?.clusterState === 'ok'));
  });

  test('servers that are not empty, silent, not in cluster mode or too few are named, and none is touched', async () => {
    const cluster = await isolatedServers(6);
    const second = nodeAt(cluster, 1);
    const tell = async (index: number, ...command: readonly (string | number)[]): Promise<void> => {
      const connection = await cluster.dialer.dial(nodeAt(cluster, index).id);
      await connection.call(...command);
      connection.close();
    };
    await assert.rejects(planFor(cluster, { masters: 2 }), /at least 3 masters/);
    await assert.rejects(
      planFor(cluster, { masters: 3, replicasPerMaster: 0 }),
      /make 1 replica per master, not 0/,
    );
    await assert.rejects(planFor(cluster, { masters: 7 }), /7 masters need more than 6 servers/);
    const nobody = '127.0.0.1:1';
    await assert.rejects(
      planFor(cluster, {}, [...cluster.addresses, nobody]),
      /127\.0\.0\.1:1: .*Nothing was changed/,
    );
    const twice = [...cluster.addresses, cluster.addresses[0] ?? ''];
    await assert.rejects(planFor(cluster, {}, twice), /which is named twice/);
    const plan = await planFor(cluster);
    await tell(0, 'CLUSTER', 'ADDSLOTS', 5);
    await assert.rejects(planFor(cluster), /own hash slots/);
    await assert.rejects(run(cluster, plan), /is no longer empty: .*1 slot range.*Nothing was changed/);
    await tell(0, 'CLUSTER', 'DELSLOTS', 5);
    const alone = await isolatedServers(1);
    const outsider = nodeAt(alone, 0);
    await tell(1, 'CLUSTER', 'MEET', outsider.host, outsider.port);
    await assert.rejects(
      async () => {
        for (let tries = 0; tries < 100; tries++) await planFor(cluster);
      },
      new RegExp(`:${second.port} knows 1 other node`),
    );
    await tell(1, 'CLUSTER', 'RESET', 'HARD');
    await assert.rejects(
      run(cluster, plan),
      new RegExp(`answers at 127\\.0\\.0\\.1:${second.port} instead of`),
    );
    const { nodes } = await readAnyway(cluster);
    assert.ok(nodes.every(({ view }) => view?.slotsAssigned === 0));
  });

  test('a server that announces where another one answers is not introduced there', async () => {
    const victim = await isolatedServers(1);
    const at = nodeAt(victim, 0);
    const cluster = await isolatedServers(3, {
      config: {
        'cluster-announce-port': String(at.port),
        'cluster-announce-bus-port': String(at.port + 10_000),
      },
    });
    await assert.rejects(
      planFor(cluster),
      new RegExp(`announces 127\\.0\\.0\\.1:${at.port} .*cannot be confirmed .*correct the setting`),
    );
    const { nodes } = await readAnyway(victim);
    assert.deepEqual(nodes[0]?.view?.others, []);
  });

  test('a new server at whose address another node answers by now is not introduced', async () => {
    const cluster = await startRedisCluster({ masters: 3, replicasPerMaster: 0, spares: 1 });
    clusters.push(cluster);
    const { host, port } = nodeAt(cluster, 3);
    const at = { host, port, busPort: port + 10_000 };
    const step = { kind: 'meet', node: 'e'.repeat(40), ...at, text: 'the one that was there joins' } as const;
    const { ref } = await readAnyway(cluster);
    const plan = { title: 'Join', ref, operation: 'addShard', request: {}, steps: [step] };
    await assert.rejects(
      run(cluster, { ...plan, warnings: [], losses: [] }),
      new RegExp(`answers at 127\\.0\\.0\\.1:${port} instead of .*Nothing was changed`),
    );
    const { nodes } = await readAnyway(cluster);
    assert.ok(nodes.every(({ view }) => view?.others.length === 2));
  });
});
