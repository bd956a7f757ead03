import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimKey, claimOf } from '../../../src/inventory/claims.ts';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import type { AddressSource, Changed } from '../../../src/inventory/sources.ts';
import { clusterKey, type AddressClusterRef } from '../../../src/model/clusterRef.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { line, view } from '../sample.ts';

const connection = { close: () => undefined } as NodeConnection;
const redis: RedisReading = {
  connectNode: () => Promise.resolve(connection),
  connectPatiently: () => Promise.resolve(connection),
  readNodeView: () => Promise.resolve(view('m0', { self: line('m0', { host: '127.0.0.1' }), others: [] })),
};
const addressSource = (ref: AddressClusterRef): AddressSource => ({
  ...{ ref, name: 'test', sandbox: false },
  credentials: () => Promise.resolve({}),
});

test('a change names the clusters that were read, and no other', async () => {
  const inventory = new Inventory({ redis: () => Promise.resolve(redis), addressSource });
  const refs = [7001, 7002].map((port) => ({ addresses: [`127.0.0.1:${port}`] }));
  const [first] = refs;
  assert.ok(first);
  inventory.setAddresses(refs.map(addressSource));
  const changes: Changed[] = [];
  inventory.on('changed', (changed) => changes.push(changed));
  await inventory.fresh(first);
  assert.ok(changes.length > 0);
  for (const { context, clusters } of changes) {
    assert.deepEqual([context, [...clusters]], [undefined, [clusterKey(first)]]);
  }
  changes.length = 0;
  inventory.setAddresses(refs.slice(0, 1).map(addressSource));
  assert.deepEqual(
    changes.map(({ clusters }) => [...clusters]),
    [['address/127.0.0.1:7002']],
    'one that is gone has changed',
  );
  inventory.dispose();
});

test('a cluster in Kubernetes is claimed by its context, whatever that is called', () => {
  const ref = { context: 'a/b\nc', namespace: 'n', name: 'x' };
  assert.deepEqual(claimOf(ref), { context: 'a/b\nc' });
  const address = { addresses: ['h:1'] };
  assert.deepEqual(claimOf(address), { ref: address });
  assert.notEqual(claimKey(claimOf(ref)), claimKey(claimOf(address)));
});
