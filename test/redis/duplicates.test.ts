import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { folderOf, readByAddress, readUntil } from '../support/redis/byAddress.ts';
import { nodeAt, withNode } from '../support/redis/moveFixture.ts';

let cluster: TestCluster;
let inventory: Inventory;

before(async () => {
  cluster = await startRedisCluster({ replicasPerMaster: 0, spares: 1 });
  inventory = readByAddress();
});
after(async () => {
  inventory.dispose();
  await cluster.stop();
});

async function announce(index: number, port: number): Promise<void> {
  await withNode(cluster, nodeAt(cluster, index), async (line) => {
    await line.call('CONFIG', 'SET', 'cluster-announce-port', port);
    await line.call('CONFIG', 'SET', 'cluster-announce-bus-port', nodeAt(cluster, index).port + 10_000);
  });
}

test('masters that announce each other’s port are found, and no key is moved to the wrong one', async () => {
  const members = { addresses: cluster.addresses.slice(0, 3) };
  const [one, two, three] = [nodeAt(cluster, 0), nodeAt(cluster, 1), nodeAt(cluster, 2)];
  await announce(0, two.port);
  await announce(1, one.port);
  const swapped = await readUntil(inventory, members, 'the swap', ({ impostors }) => impostors.length === 2);
  assert.deepEqual(
    swapped.impostors.map(({ address, listedId }) => [address, listedId]).sort(),
    [
      [`${one.host}:${one.port}`, two.id],
      [`${two.host}:${two.port}`, one.id],
    ].sort(),
  );
  await announce(0, one.port);
  await announce(1, two.port);
  const again = await readUntil(inventory, members, 'the end', ({ impostors }) => impostors.length === 0);
  assert.equal(planReshard(again, { from: [three.id], to: one.id, slots: 1 }).steps.length, 1);
});

test('a server that was started from a copy of a member’s nodes.conf is not taken for that member', async () => {
  const [member, copy] = [nodeAt(cluster, 0), nodeAt(cluster, 3)];
  const [from, to] = [await folderOf(cluster, member), await folderOf(cluster, copy)];
  cluster.kill(copy);
  await copyFile(join(from, 'nodes.conf'), join(to, 'nodes.conf'));
  await cluster.restart(copy);
  const addresses = [3, 1, 0].map((index) => cluster.addresses[index] ?? '');
  const read = await readUntil(inventory, { addresses }, 'the copy', (one) => one.duplicateIds !== undefined);
  const places = [member, copy].map(({ host, port }) => `${host}:${port}`).sort();
  assert.deepEqual(read.duplicateIds, [{ id: member.id, servers: places }]);
  assert.throws(
    () => planReshard(read, { from: [member.id], to: nodeAt(cluster, 1).id, slots: 1 }),
    /run with the same node id/,
  );
});
