import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { RedisReading } from '../../src/inventory/nodeReader.ts';
import { formatAddress, type Address } from '../../src/model/clusterRef.ts';
import { UserError } from '../../src/model/errors.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import type { NodeConnection } from '../../src/redis/nodeConnection.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { fill } from '../support/redis/fill.ts';
import { assertNoneOpen, keyIn, move, nodeAt, withNode } from '../support/redis/moveFixture.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const times = { connectTimeoutMs: 2_000, commandTimeoutMs: 5_000 };
const connectNode: RedisReading['connectNode'] = (endpoint, credentials) =>
  redis.connectNode(endpoint, credentials, times);
const inventory = new Inventory({
  redis: () =>
    Promise.resolve({ connectNode, connectPatiently: connectNode, readNodeView: redis.readNodeView }),
  addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
});
const clusters: TestCluster[] = [];
const tunnels: Server[] = [];
after(async () => {
  inventory.dispose();
  for (const tunnel of tunnels) tunnel.close();
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: Parameters<typeof startRedisCluster>[0]): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  clusters.push(cluster);
  return cluster;
}

const idsOf = ({ nodes }: Pick<ClusterSnapshot, 'nodes'>): readonly string[] =>
  nodes.map(({ id }) => id).sort();
const keys = Array.from({ length: 300 }, (_, i) => ['SET', Buffer.from(`key:${i}`), 'x'] as const);

async function keysIn({ nodes, dialer }: TestCluster): Promise<number> {
  const sizes = nodes.map(async ({ id }) => {
    const connection = await dialer.dial(id);
    const size = Number(await connection.call('DBSIZE'));
    connection.close();
    return size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** How many keys stay, and how many expire by themselves. */
async function lifetimes(cluster: TestCluster): Promise<{ readonly kept: number; readonly passing: number }> {
  const infos = cluster.nodes.map((node) =>
    withNode(cluster, node, async (line) => String(await line.call('INFO', 'keyspace'))),
  );
  const [kept, passing] = (await Promise.all(infos)).reduce(
    ([all, some], text) => {
      const [, here = 0, expiring = 0] = /keys=(\d+),expires=(\d+)/.exec(text)?.map(Number) ?? [];
      return [all + here, some + expiring];
    },
    [0, 0],
  );
  return { kept: kept - passing, passing };
}

/** Has each node of one cluster announce the port on which a node of the other listens, and waits until all have heard. */
async function announceAs(own: TestCluster, other: TestCluster): Promise<void> {
  for (const [index, node] of own.nodes.entries()) {
    await own.cli(
      '-p',
      String(node.port),
      'CONFIG',
      'SET',
      'cluster-announce-port',
      String(other.nodes[index]?.port),
    );
  }
  const ports = other.nodes.map(({ port }) => port);
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    const texts = await Promise.all(
      own.nodes.map(({ port }) => own.cli('-p', String(port), 'CLUSTER', 'NODES')),
    );
    await sleep(100);
    if (texts.every(({ stdout }) => ports.every((port) => stdout.includes(`:${port}@`)))) return;
  }
  assert.fail('the announced ports were not heard of');
}

describe('a server that answers in the place of a member', { timeout: 120_000 }, () => {
  test('nodes of another cluster are no members and lose no key', async () => {
    const [a, b] = [await start({ replicasPerMaster: 0 }), await start({ replicasPerMaster: 0 })];
    await announceAs(a, b);
    await fill(a, keys);
    await fill(b, keys);

    const one = await inventory.fresh({ addresses: a.addresses.slice(0, 1) });
    assert.deepEqual(idsOf(one), a.nodes.map(({ id }) => id).sort());
    const [answering] = a.nodes;
    assert.deepEqual(
      one.nodes.flatMap(({ id, view }) => (view === undefined ? [] : [id])),
      [answering?.id],
    );
    for (const index of [1, 2]) {
      const [listed, other] = [a.nodes[index], b.nodes[index]];
      const address = b.addresses[index] ?? '';
      const node = one.nodes.find(({ id }) => id === listed?.id);
      assert.equal(node?.unreachable?.reason, 'unreachable');
      assert.equal(
        node.unreachable.message,
        `Node ${other?.id ?? ''} answers at ${address} instead of ${listed?.id ?? ''}.`,
      );
      assert.ok(one.impostors.some((found) => found.address === address && found.answeringId === other?.id));
    }
    assert.throws(() => planFlush(one), /does not answer/);
    const dialer = await inventory.dialer({ addresses: a.addresses.slice(0, 1) });
    for (const { id } of b.nodes) {
      await assert.rejects(async () => await dialer.dial(id), /cannot be reached: no known pod or address/);
    }
  });

  test('with all members named they are read, and what they would send each other is refused', async () => {
    const [a, b] = clusters;
    assert.ok(a !== undefined && b !== undefined);
    const ref = { addresses: a.addresses };
    const all = await inventory.fresh(ref);
    assert.deepEqual([idsOf(all), all.unknownNodes], [a.nodes.map(({ id }) => id).sort(), []]);
    assert.ok(all.nodes.every(({ view }) => view !== undefined));
    // Servers reach each other where the other cluster listens: keys that were moved would be deleted here and land there.
    assert.equal(all.impostors.length, 3);
    const [from, to] = a.nodes;
    const reshard = planReshard(all, { from: [from?.id ?? ''], to: to?.id ?? '', slots: 100 });
    const ports = runPorts(a, {
      readSnapshot: () => inventory.fresh(ref),
      dialer: await inventory.dialer(ref),
    });
    await assert.rejects(runPlan(reshard, ports), /keys could be sent to the wrong server/);
    assert.deepEqual([await keysIn(a), await keysIn(b)], [keys.length, keys.length]);
    await runPlan(planFlush(all), ports);
    assert.deepEqual([await keysIn(a), await keysIn(b)], [0, keys.length]);

    const both = await inventory.fresh({ addresses: [a.addresses[0] ?? '', b.addresses[0] ?? ''] });
    assert.deepEqual(idsOf(both), a.nodes.map(({ id }) => id).sort());
    assert.deepEqual(both.otherParts.map(idsOf), [[b.nodes[0]?.id]]);
  });

  test('where only the source meets another server, no key leaves it', async () => {
    const [a, b] = clusters;
    assert.ok(a !== undefined && b !== undefined);
    await fill(a, keys);
    const [from, to] = [nodeAt(a, 0), nodeAt(a, 1)];
    const names = { [from.id]: 'the source', [to.id]: 'the target' };
    const nameOf = (id: string): string => names[id] ?? id;
    // The other cluster's first master takes keys of these slots, since it owns them; its second sends them on.
    for (const [index, why] of [
      [0, /A test key that the source sent to \S+ did not arrive at the target: another server answers/],
      [1, /the target does not take them now/],
    ] as const) {
      const moving = move(a, [[0, 100]], { targetAddress: nodeAt(b, index), nameOf });
      await assert.rejects(moving, (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, why);
        assert.match(error.message, /No slot was moved\. Still open: none\./);
        return true;
      });
      await assertNoneOpen(a, a.nodes);
      assert.equal(await keysIn(a), keys.length);
    }
    const { movedSlots } = await move(a, [[0, 100]]);
    assert.equal(movedSlots, 101);
    assert.equal(await keysIn(a), keys.length, 'a key that proves the way is removed');
    assert.deepEqual(await lifetimes(b), { kept: keys.length, passing: 1 });
  });

  test('where only the giver meets another server, no stray is brought there', async () => {
    const [a, b] = clusters;
    assert.ok(a !== undefined && b !== undefined);
    const [owner, holder] = [nodeAt(a, 0), nodeAt(a, 2)];
    const key = keyIn('stray', [[200, 300]]);
    const slot = keySlot(key);
    await withNode(a, holder, async (line) => {
      await line.pipeline([
        ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id],
        ['ASKING'],
        ['SET', key, 'only here'],
      ]);
    });
    const { id, host, port } = owner;
    const bring = (targetAddress: Address): Promise<unknown> =>
      redis.bringKeys({
        ...{ dialer: a.dialer, from: holder.id, to: id, owner: id, slots: [[slot, slot]], targetAddress },
        ...{ nameOf: String, signal: new AbortController().signal, onKeys: () => undefined },
      });
    await assert.rejects(bring(nodeAt(b, 0)), /another server answers there/);
    const value = (line: NodeConnection): Promise<unknown> =>
      line.pipeline([['ASKING'], ['GET', key]]).then(([, reply]) => reply);
    assert.equal(await withNode(a, holder, value), 'only here');
    await bring({ host, port });
    assert.equal(await withNode(a, owner, value), 'only here');
    await assertNoneOpen(a, a.nodes);
    assert.equal(await keysIn(a), keys.length + 1);
  });

  test('a server that was replaced after the reading is not dialled', async () => {
    const { nodes } = await start({ masters: 0, spares: 2 });
    const [first, second] = nodes;
    assert.ok(first !== undefined && second !== undefined);
    let behind: ClusterNode = first;
    const tunnel = createServer((client) => {
      const server = connect(behind.port, behind.host);
      client.pipe(server).pipe(client);
      for (const end of [client, server]) end.on('error', () => client.destroy());
    });
    tunnels.push(tunnel);
    tunnel.listen(0, '127.0.0.1');
    await once(tunnel, 'listening');
    const address = formatAddress({ host: '127.0.0.1', port: (tunnel.address() as AddressInfo).port });
    const dialer = await inventory.dialer({ addresses: [address] });
    (await dialer.dial(first.id)).close();
    behind = second;
    await assert.rejects(
      async () => await dialer.dial(first.id),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.reason, 'unsafe');
        assert.ok(
          error.message.startsWith(
            `Node ${second.id} now answers at ${address} instead of ${first.id}. Nothing`,
          ),
        );
        return true;
      },
    );
  });
});
