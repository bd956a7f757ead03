import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimKey, claimOf } from '../../../src/inventory/claims.ts';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import type { AddressSource, Changed } from '../../../src/inventory/sources.ts';
import { clusterKey, type AddressClusterRef } from '../../../src/model/clusterRef.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import type { Candidate, KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { ids, line, pod, view } from '../sample.ts';

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

test('a member that is reached at two addresses is dialled where it still answers', async () => {
  let isTunnelOpen = true;
  const hosts = new Map<NodeConnection, string>();
  const connect: RedisReading['connectNode'] = (endpoint) => {
    const host = 'host' in endpoint ? endpoint.host : '';
    const made = { ...connection, call: () => Promise.resolve('m0') };
    hosts.set(made, host);
    return host === 'tunnel' && !isTunnelOpen ? Promise.reject(new Error('refused')) : Promise.resolve(made);
  };
  const inventory = new Inventory({
    redis: () =>
      Promise.resolve({
        connectNode: connect,
        connectPatiently: connect,
        readNodeView: (line) =>
          hosts.get(line) === 'tunnel' && !isTunnelOpen
            ? Promise.reject(new Error('closed'))
            : redis.readNodeView(line),
      }),
    addressSource,
  });
  const ref = { addresses: ['tunnel:1', '127.0.0.1:6379'] };
  await inventory.fresh(ref);
  isTunnelOpen = false;
  const dialer = await inventory.dialer(ref);
  (await dialer.dial('m0')).close();
  assert.equal([...hosts.values()].at(-1), '127.0.0.1');
  inventory.dispose();
});

test('an operation dials the pods of its own cluster, though a copy in another namespace has the same node ids', async () => {
  const candidate = (namespace: string): Candidate => ({
    ...{ namespace, uid: namespace },
    workload: { kind: 'StatefulSet', name: 'cart', replicas: 6, readyReplicas: 6, bundled: true },
    pods: ids.map((id) => pod(id, line(id).host, { namespace, uid: `${namespace}-${id}` })),
  });
  const access = {
    context: 'test',
    discover: () => Promise.resolve(['copy', 'shop'].map(candidate)),
    watch: () => () => undefined,
    forward: (namespace: string, name: string) =>
      Promise.resolve({ path: `${namespace}/${name}`, close: () => undefined }),
    get: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    close: () => undefined,
  } as Partial<KubernetesAccess> as KubernetesAccess;
  const dialled: string[] = [];
  const idAt = new Map<NodeConnection, string>();
  const connect: RedisReading['connectNode'] = (endpoint) => {
    const path = 'path' in endpoint ? endpoint.path : '';
    const id = path.split('/')[1] ?? '';
    const made: Partial<NodeConnection> = { ...connection, call: () => Promise.resolve(id) };
    idAt.set(made as NodeConnection, id);
    return Promise.resolve(made as NodeConnection);
  };
  const inventory = new Inventory({
    redis: () =>
      Promise.resolve({
        connectNode: connect,
        connectPatiently: (endpoint, credentials) => {
          dialled.push('path' in endpoint ? endpoint.path : '');
          return connect(endpoint, credentials);
        },
        readNodeView: (line) => Promise.resolve(view(idAt.get(line) ?? '')),
      }),
    addressSource,
  });
  assert.ok(inventory.isGone({ context: 'test', namespace: 'shop', name: 'cart' }), 'no such context');
  inventory.setContexts([
    { name: 'test', namespaces: [], fingerprint: '', open: () => Promise.resolve(access) },
  ]);
  assert.ok(!inventory.isGone({ context: 'test', namespace: 'shop', name: 'cart' }), 'not read yet');
  for (const namespace of ['shop', 'copy', 'shop']) {
    const dialer = await inventory.dialer({ context: 'test', namespace, name: 'cart' });
    (await dialer.dial('m0')).close();
  }
  assert.deepEqual(dialled, ['shop/m0', 'copy/m0', 'shop/m0']);
  const isGone = (context: string, namespace: string): boolean =>
    inventory.isGone({ context, namespace, name: 'cart' });
  assert.deepEqual(
    [isGone('test', 'shop'), isGone('test', 'empty'), isGone('another', 'shop')],
    [false, true, true],
  );
  inventory.dispose();
});
