import { mergeViews } from '../../../src/inventory/mergeViews.ts';
import type { Source } from '../../../src/inventory/source.ts';
import { formatAddress } from '../../../src/model/clusterRef.ts';
import { messageOf } from '../../../src/model/errors.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import type { ClusterNode, TestCluster } from '../startRedisCluster.ts';

/** A snapshot of a test cluster as the inventory makes it: servers may be gone, or have left the cluster. */
export async function readAnyway({
  addresses,
  nodes,
  dialer,
}: Pick<TestCluster, 'addresses' | 'dialer'> & {
  readonly nodes: readonly Pick<ClusterNode, 'id' | 'host' | 'port'>[];
}): Promise<ClusterSnapshot> {
  const read = async (node: Pick<ClusterNode, 'id' | 'host' | 'port'>): Promise<Source> => {
    const address = formatAddress(node);
    try {
      const connection = await dialer.dial(node.id);
      const view = await readNodeView(connection).finally(() => {
        connection.close();
      });
      return { address, reading: { tried: true, view, lastId: view.self.id } };
    } catch (error) {
      const failure = { since: 0, reason: 'unreachable' as const, message: messageOf(error) };
      return { address, reading: { tried: true, failure, lastId: node.id } };
    }
  };
  return {
    ref: { addresses },
    name: 'test',
    takenAt: Date.now(),
    workloads: [],
    ...mergeViews(await Promise.all(nodes.map(read))),
  };
}
