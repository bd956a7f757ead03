import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { withConnection } from '../../../src/operations/servers/withConnection.ts';
import type { Credentials } from '../../../src/redis/nodeConnection.ts';
import * as redis from '../../../src/redis/entry.ts';
import type { ClusterNode, TestCluster } from '../startRedisCluster.ts';

const times = { connectTimeoutMs: 2_000, commandTimeoutMs: 5_000 };

/** How a test dials servers: it gives up soon. */
export const connectSoon = (
  endpoint: Parameters<typeof redis.connectNode>[0],
  credentials: Parameters<typeof redis.connectNode>[1],
): ReturnType<typeof redis.connectNode> => redis.connectNode(endpoint, credentials, times);

/**
 * The product's own reading of clusters by their addresses, with what `credentials` returns then; to be disposed of.
 * @param reach where addresses are dialled, as the address map says
 */
export function readByAddress(
  credentials = (): Credentials => ({}),
  connect = connectSoon,
  reach = (address: string): string => address,
): Inventory {
  return new Inventory({
    redis: () =>
      Promise.resolve({
        connectNode: connect,
        connectPatiently: connect,
        readNodeView: redis.readNodeView,
      }),
    addressSource: (ref) => ({
      ref,
      name: 'test',
      sandbox: false,
      credentials: () => Promise.resolve(credentials()),
      reach,
    }),
  });
}

/** Reads again and again until it is so; fails after half a minute. */
export async function readUntil(
  inventory: Inventory,
  { addresses }: Pick<TestCluster, 'addresses'>,
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

/** Where a server that answers keeps its files. */
export async function folderOf(cluster: TestCluster, { id }: ClusterNode): Promise<string> {
  return await withConnection(cluster, id, async (connection) =>
    String(((await connection.call('CONFIG', 'GET', 'dir')) as unknown[])[1]),
  );
}
