import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from '../../src/checks/check.ts';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planFix } from '../../src/operations/fix.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { planForget } from '../../src/operations/forget.ts';
import { planForm } from '../../src/operations/form.ts';
import { readFormServers } from '../../src/operations/form/readServers.ts';
import { withConnection } from '../../src/operations/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { fill } from './fill.ts';
import { nodeAt, plainWrites } from './moveFixture.ts';

const times = { connectTimeoutMs: 2_000, commandTimeoutMs: 5_000 };
const connectNode: typeof redis.connectNode = (endpoint, credentials) =>
  redis.connectNode(endpoint, credentials, times);
const inventory = new Inventory({
  redis: () =>
    Promise.resolve({
      connectNode: (endpoint, credentials) => connectNode(endpoint, credentials, times),
      connectPatiently: (endpoint, credentials) => connectNode(endpoint, credentials, times),
      readNodeView: redis.readNodeView,
    }),
  addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
});
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

async function until(
  addresses: readonly string[],
  what: string,
  isSo: (read: ClusterSnapshot) => boolean,
): Promise<ClusterSnapshot> {
  const end = performance.now() + 30_000;
  for (;;) {
    const read = await inventory.fresh({ addresses });
    if (isSo(read)) return read;
    assert.ok(performance.now() < end, `${what} did not come within 30 s`);
    await sleep(100);
  }
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
    assert.match(findings[0]?.remedy ?? '', /“Form Cluster…” makes/);
    assert.throws(() => planFix(read, new Map()), /“Form Cluster…” makes/);
    const facts = await readFormServers(read, await inventory.dialer(read.ref), { ...redis, connectNode });
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
