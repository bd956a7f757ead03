import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatAddress } from '../../src/model/clusterRef.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import { mastersOf } from '../../src/model/shards.ts';
import { countSlots } from '../../src/model/slots.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { planAddShard, type NewServer } from '../../src/operations/addShard.ts';
import { planRemoveShard } from '../../src/operations/removeShard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { runKilled } from '../support/redis/faultTools.ts';
import { faultyDialer } from '../support/redis/faultyDialer.ts';
import { fill } from '../support/redis/fill.ts';
import { plainWrites } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function probe(cluster: TestCluster, node: ClusterNode): Promise<NewServer> {
  const connection = await cluster.dialer.dial(node.id);
  const { self, others, keys } = await readNodeView(connection);
  connection.close();
  const { id, slots, busPort } = self;
  const { host, port } = node;
  return {
    address: formatAddress(node),
    id,
    host,
    port,
    busPort,
    keys,
    slots: slots.length,
    others: others.length,
  };
}

/** Replicas hear of an operation by gossip, and until then the next one is refused. */
const readAgreed = (cluster: TestCluster): Promise<ClusterSnapshot> =>
  agreed(() => readAnyway(cluster), 30_000);

const library = "#!lua name=shop\nredis.register_function('price', function() return 7 end)";

for (const config of [{}, { 'cluster-allow-replica-migration': 'no' }] as const) {
  const how = 'cluster-allow-replica-migration' in config ? ', replicas staying where they are' : '';
  test(`a shard comes and goes again while clients write${how}`, { timeout: 300_000 }, async () => {
    const cluster = await startRedisCluster({
      spares: 2,
      config: { 'repl-diskless-sync-delay': '0', ...config },
    });
    clusters.push(cluster);
    const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster) });
    const [first, ...rest] = cluster.nodes;
    const spares = rest.slice(-2);
    assert.ok(first);
    for (const node of cluster.nodes.slice(0, 3)) {
      const connection = await cluster.dialer.dial(node.id);
      await connection.call('FUNCTION', 'LOAD', library);
      connection.close();
    }
    const chaos = await startChaosClient({ nodes: cluster.nodes.slice(0, 6) });
    const servers = await Promise.all(spares.map((node) => probe(cluster, node)));
    const adding = planAddShard(
      await ports.readSnapshot(),
      { addresses: servers.map(({ address }) => address) },
      { servers },
    );
    const added = await runPlan(adding, ports);
    assert.equal(added.movedSlots, 4096);
    const grown = await ports.readSnapshot();
    assert.deepEqual(
      mastersOf(grown).map(({ slots }) => countSlots(slots)),
      [4096, 4096, 4096, 4096],
    );
    const fresh = servers[0]?.id ?? '';
    assert.equal(grown.nodes.find(({ id }) => id === servers[1]?.id)?.masterId, fresh);
    const connection = await cluster.dialer.dial(fresh);
    assert.match(JSON.stringify(await connection.call('FUNCTION', 'LIST')), /shop/);
    connection.close();
    assert.equal((await runPlan(adding, ports)).skipped, adding.steps.length, 'all of it is already done');

    await runPlan(planRemoveShard(await readAgreed(cluster), { node: fresh }, {}), ports);
    const shrunk = await ports.readSnapshot();
    assert.equal(shrunk.nodes.length, 6);
    assert.deepEqual(shrunk.unknownNodes, []);
    for (const node of spares) {
      const { keys, others, slots } = await probe(cluster, node);
      assert.deepEqual([keys, others, slots], [0, 0, 0]);
    }
    const report = await chaos.stop();
    assert.deepEqual(report.losses, []);
    assert.ok(report.acknowledged > 0);
    assert.equal((await cluster.cli('--cluster', 'check', formatAddress(first))).code, 0);
  });
}

test('until a shard that comes owns a slot, it gets keys of one slot of a source only', async () => {
  const cluster = await startRedisCluster({ spares: 2, config: { 'repl-diskless-sync-delay': '0' } });
  clusters.push(cluster);
  await fill(cluster, plainWrites(20_000));
  /** For each source: the slots of the keys that it sent before anybody was told of a new owner. */
  const sent = new Map<string, Set<number>>();
  let isOwner = false;
  const dialer = faultyDialer(cluster.dialer, (id, [verb, sub, , state, ...rest]) => {
    if (verb === 'CLUSTER' && sub === 'SETSLOT' && state === 'NODE') isOwner = true;
    if (verb !== 'MIGRATE' || isOwner) return undefined;
    const keys = rest.slice(rest.indexOf('KEYS') + 1);
    const slots = keys.map((key) => keySlot(Buffer.isBuffer(key) ? key : Buffer.from(String(key))));
    sent.set(id, new Set([...(sent.get(id) ?? []), ...slots]));
    return undefined;
  });
  const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster), dialer });
  const servers = await Promise.all(cluster.nodes.slice(-2).map((node) => probe(cluster, node)));
  const addresses = servers.map(({ address }) => address);
  await runPlan(planAddShard(await ports.readSnapshot(), { addresses }, { servers }), ports);
  assert.ok(sent.size > 0);
  assert.ok([...sent.values()].every(({ size }) => size === 1));
});

test(
  'killed before and after every step, a shard comes and goes by running the same plan again',
  { timeout: 400_000 },
  async () => {
    const cluster = await startRedisCluster({ spares: 2, config: { 'repl-diskless-sync-delay': '0' } });
    clusters.push(cluster);
    const ports = runPorts(cluster, { readSnapshot: () => readAnyway(cluster) });
    const chaos = await startChaosClient({ nodes: cluster.nodes.slice(0, 6) });
    const servers = await Promise.all(cluster.nodes.slice(-2).map((node) => probe(cluster, node)));
    const adding = planAddShard(
      await ports.readSnapshot(),
      { addresses: servers.map(({ address }) => address) },
      { servers },
    );
    const kills = await runKilled(adding, ports);
    assert.equal(mastersOf(await ports.readSnapshot()).length, 4);
    const removing = planRemoveShard(await readAgreed(cluster), { node: servers[0]?.id ?? '' }, {});
    const more = await runKilled(removing, ports);
    const { nodes, unknownNodes } = await ports.readSnapshot();
    assert.deepEqual([nodes.length, unknownNodes], [6, []]);
    const report = await chaos.stop();
    assert.deepEqual(report.losses, []);
    console.log(`killed ${kills + more} times`);
  },
);
