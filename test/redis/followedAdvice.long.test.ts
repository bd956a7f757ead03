import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { check } from '../../src/checks/check.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planFix } from '../../src/operations/fix.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { planForget } from '../../src/operations/forget.ts';
import { planForm } from '../../src/operations/form.ts';
import { readFormServers } from '../../src/operations/forming/readServers.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { connectSoon, folderOf, readByAddress, readUntil } from '../support/redis/byAddress.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { runPorts } from '../support/redis/runPorts.ts';
import { presumedLost } from '../../src/operations/repair/lost.ts';
import { readStrayKeys } from '../../src/operations/repair/lostFacts.ts';
import { countSlots, slotCount, unionSlots } from '../../src/model/slots.ts';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

import { nodeAt, plainWrites } from '../support/redis/moveFixture.ts';

const inventory = readByAddress();
const clusters: TestCluster[] = [];
after(async () => {
  inventory.dispose();
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: Parameters<typeof startRedisCluster>[0]): Promise<TestCluster> {
  const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '1000' }, ...options });
  clusters.push(cluster);
  return cluster;
}

function until(
  addresses: readonly string[],
  what: string,
  isSo: (read: ClusterSnapshot) => boolean,
): Promise<ClusterSnapshot> {
  return readUntil(inventory, { addresses }, what, isSo);
}

const found = (read: ClusterSnapshot, rule: string): readonly Finding[] =>
  check(read).filter((finding) => finding.rule === rule);

describe('advice that is followed is not refused', { timeout: 120_000 }, () => {
  test('servers that are introduced and own no slots are formed, not fixed into masters without replicas', async () => {
    const { nodes, addresses, dialer } = await start({ masters: 0, spares: 6 });
    await withConnection({ dialer }, nodes[0]?.id ?? '', async (connection) => {
      for (const { port } of nodes.slice(1)) await connection.call('CLUSTER', 'MEET', '127.0.0.1', port);
    });
    const read = await until(addresses, 'the introduction', ({ nodes: all }) =>
      all.every(({ view }) => view?.others.filter(({ flags }) => !flags.includes('handshake')).length === 5),
    );
    const findings = check(read);
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['not-formed'],
    );
    assert.match(findings[0]?.message ?? '', /6 servers run, and none owns hash slots/);
    assert.match(findings[0]?.remedy ?? '', /“Form Cluster…” creates/);
    assert.throws(() => planFix(read, new Map()), /“Form Cluster…” forms a cluster of them/);
    const facts = await readFormServers(read, await inventory.dialer(read.ref), {
      ...redis,
      connectNode: connectSoon,
    });
    assert.equal(planForm(read, {}, facts).steps.filter(({ kind }) => kind === 'formShard').length, 3);

    const one = await inventory.fresh({ addresses: addresses.slice(0, 1) });
    assert.equal(one.nodes.length, 6, 'the others are found by the one that is named');
  });

  test('servers that know nobody have one finding, and with one that is silent it names that', async () => {
    const { addresses } = await start({ masters: 0, spares: 3 });
    const all = await inventory.fresh({ addresses });
    assert.deepEqual(
      check(all).map(({ rule }) => rule),
      ['not-formed'],
    );
    const gone = await inventory.fresh({ addresses: [...addresses, '127.0.0.1:1'] });
    assert.match(found(gone, 'not-formed')[0]?.remedy ?? '', /^Make 127\.0\.0\.1:1 readable first/);
    const few = await inventory.fresh({ addresses: addresses.slice(0, 1) });
    assert.match(found(few, 'not-formed')[0]?.remedy ?? '', /needs at least 3 servers/);
  });

  test('of two dead masters only their own findings speak, and none waits for a copy that is there', async () => {
    const cluster = await start({});
    for (const index of [0, 1]) cluster.kill(nodeAt(cluster, index));
    const read = await until(cluster.addresses, 'the loss of the majority', (one) =>
      one.nodes.every(({ view }) => view?.clusterState !== 'ok'),
    );
    assert.equal(found(read, 'no-majority').length, 1);
    assert.deepEqual([found(read, 'no-replica'), found(read, 'replica-link')], [[], []]);
  });

  test('a replica that may have the last copy of its shard is not forgotten', async () => {
    const cluster = await start({});
    const ids = [nodeAt(cluster, 0).id];
    const whole = await inventory.fresh({ addresses: cluster.addresses });
    ids.push(whole.nodes.find(({ masterId }) => masterId === ids[0])?.id ?? '');
    for (const node of cluster.nodes.filter(({ id }) => ids.includes(id))) cluster.kill(node);
    const read = await until(cluster.addresses, 'both failures', ({ nodes }) =>
      ids.every((id) => nodes.find((node) => node.id === id)?.health === 'failed'),
    );
    const replica = found(read, 'reachable').find(({ nodeIds }) => nodeIds[0] === ids[1]);
    assert.match(replica?.remedy ?? '', /last copy of the slots/);
    assert.throws(
      () => planForget(read, { node: ids[1] ?? '' }),
      /may have the last copy.*Nothing was changed/,
    );
    assert.throws(() => planForget(read, {}), /nothing to forget/);
  });

  test('addresses of two whole clusters are named as such, and never advised to be brought together', async () => {
    const [a, b] = [await start({ replicasPerMaster: 0 }), await start({ replicasPerMaster: 0 })];
    for (const cluster of [a, b]) await fill(cluster, plainWrites(100));
    const addresses = [a.addresses[0] ?? '', ...b.addresses.slice(0, 2)];
    const read = await inventory.fresh({ addresses });
    assert.deepEqual(
      read.otherParts.map(({ nodes, why }) => [nodes.length, why]),
      [[2, 'own-cluster']],
    );
    const [finding] = found(read, 'apart');
    assert.equal(finding?.message, 'The addresses lead to 2 clusters that do not know each other.');
    assert.match(finding.remedy ?? '', /^Remove the addresses of the other cluster/);
    assert.throws(
      () => planFlush(read),
      /are addresses of 2 clusters: .*Remove those of the other cluster first/,
    );
    assert.throws(
      () => planFlush(read),
      (error: Error) => !error.message.includes('together'),
    );
  });
});

const durable = { appendonly: 'yes', 'cluster-node-timeout': '1000' };

describe('slots of masters that nobody declares failed', { timeout: 120_000 }, () => {
  test('in whose place an empty server answers are given away on a person’s word only, and all else stays', async () => {
    const cluster = await start({ replicasPerMaster: 0, config: durable });
    await fill(cluster, plainWrites(300));
    const lost = nodeAt(cluster, 1);
    const others = { ...cluster, nodes: cluster.nodes.filter((node) => node !== lost) };
    const data = await dumpAll(others);
    const folder = await folderOf(cluster, lost);
    cluster.kill(lost);
    for (const file of await readdir(folder)) {
      if (file !== 'redis.conf') await rm(join(folder, file), { recursive: true });
    }
    await cluster.restart(lost);
    const read = await until(cluster.addresses, 'the loss of its address', ({ nodes }) =>
      nodes.some(({ id, host }) => id === lost.id && host === ''),
    );
    const [finding] = found(read, 'reachable');
    assert.match(
      finding?.remedy ?? '',
      /“Fix Uncovered Slots…” assigns its slots to other masters after you confirm it/,
    );
    const dialer = await inventory.dialer(read.ref);
    assert.throws(() => planFix(read, new Map()), /lost its address.*"dead"/);

    const dead = presumedLost(read);
    assert.deepEqual(dead, [lost.id]);
    const plan = planFix(read, await readStrayKeys(read, dialer, { dead }), undefined, { dead });
    assert.match(
      plan.losses.join(),
      /Keys in slots .* that only .* has are lost.*If one of these still runs somewhere/,
    );
    assert.match(plan.warnings.join(), /treated as dead because you confirmed it/);
    const readSnapshot = (): Promise<ClusterSnapshot> => inventory.fresh({ addresses: cluster.addresses });
    await runPlan(plan, runPorts(cluster, { readSnapshot, dialer }));
    const fixed = await readSnapshot();
    assert.equal(countSlots(unionSlots(...fixed.nodes.map(({ slots }) => slots))), slotCount);
    assert.deepEqual(await dumpAll(others), data);
    await runPlan(planForget(fixed, {}), runPorts(cluster, { readSnapshot, dialer }));
    assert.deepEqual((await readSnapshot()).unknownNodes, []);
  });

  test('as they are where two of three masters without replicas are dead', async () => {
    const cluster = await start({ replicasPerMaster: 0, config: durable });
    await fill(cluster, plainWrites(300));
    const gone = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const others = { ...cluster, nodes: cluster.nodes.filter((node) => !gone.includes(node)) };
    const data = await dumpAll(others);
    for (const node of gone) cluster.kill(node);
    const read = await until(cluster.addresses, 'the loss of both', ({ nodes }) =>
      nodes.every(
        ({ view }) =>
          view?.others.every(({ flags }) => flags.some((flag) => flag.startsWith('fail'))) !== false,
      ),
    );
    for (const { remedy } of found(read, 'reachable')) assert.match(remedy ?? '', /after you confirm it/);
    assert.throws(() => planFix(read, new Map()), /too few masters answer to declare it failed.*"dead"/);
    const dead = presumedLost(read);
    assert.deepEqual(new Set(dead), new Set(gone.map(({ id }) => id)));
    const dialer = await inventory.dialer(read.ref);
    const plan = planFix(read, await readStrayKeys(read, dialer, { dead }), undefined, { dead });
    const readSnapshot = (): Promise<ClusterSnapshot> => inventory.fresh({ addresses: cluster.addresses });
    await runPlan(plan, runPorts(cluster, { readSnapshot, dialer }));
    const fixed = await until(cluster.addresses, 'the cluster being up', ({ nodes }) =>
      nodes.some(({ view }) => view?.clusterState === 'ok'),
    );
    assert.equal(countSlots(unionSlots(...fixed.nodes.map(({ slots }) => slots))), slotCount);
    assert.deepEqual(await dumpAll(others), data);
  });
});
