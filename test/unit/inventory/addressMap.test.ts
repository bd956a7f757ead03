import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressScope } from '../../../src/inventory/addressScope.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import { formatAddress } from '../../../src/model/clusterRef.ts';
import type { Endpoint, NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { ids, line, view } from '../sample.ts';

test('servers behind port mappings are dialled where the settings say, and known by what they announce', async () => {
  const ports = new Map(ids.map((id, index) => [30_000 + index, id]));
  const dialled: string[] = [];
  const connect = (endpoint: Endpoint): Promise<NodeConnection> => {
    if ('path' in endpoint) return Promise.reject(new Error('not expected'));
    dialled.push(formatAddress(endpoint));
    const id = ports.get(endpoint.port);
    if (id === undefined) return Promise.reject(new Error(`nobody at ${formatAddress(endpoint)}`));
    return Promise.resolve({ id, close: () => undefined } as unknown as NodeConnection);
  };
  const redis: RedisReading = {
    connectNode: connect,
    connectPatiently: connect,
    readNodeView: (connection) => Promise.resolve(view((connection as unknown as { id: string }).id)),
  };
  const map = new Map(
    ids.map((id, index) => [formatAddress(line(id)), `127.0.0.1:${String(30_000 + index)}`]),
  );
  const [first = ''] = map.keys();
  const scope = new AddressScope(
    {
      ref: { addresses: [first] },
      name: 'mapped',
      sandbox: false,
      credentials: () => Promise.resolve({}),
      reach: (address) => map.get(address) ?? address,
    },
    redis,
    () => undefined,
  );
  await scope.readFully();
  scope.stop();
  const nodes = scope.snapshot?.nodes ?? [];
  assert.deepEqual(new Set(dialled), new Set(map.values()));
  assert.deepEqual(nodes.map(({ id }) => id).sort(), [...ids].sort());
  for (const node of nodes) {
    assert.ok(node.view !== undefined, node.id);
    assert.equal(node.reachedAt, map.get(formatAddress(node)));
  }
});
