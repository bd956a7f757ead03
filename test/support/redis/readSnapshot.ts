import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import type { ClusterNode, TestCluster } from '../startRedisCluster.ts';
import { nothingElse } from '../nothingElse.ts';

/** A snapshot of a test cluster in which every node answers, each by its own word. */
export async function readSnapshot({ addresses, nodes, dialer }: TestCluster): Promise<ClusterSnapshot> {
  const read = async (node: ClusterNode): Promise<RedisNode> => {
    const connection = await dialer.dial(node.id);
    const view = await readNodeView(connection).finally(() => {
      connection.close();
    });
    const { self } = view;
    return {
      ...self,
      host: node.host,
      port: node.port,
      role: view.replication.role,
      health: view.clusterState === 'ok' ? 'ok' : 'degraded',
      view,
    };
  };
  return {
    ref: { addresses },
    name: 'test',
    takenAt: Date.now(),
    nodes: await Promise.all(nodes.map(read)),
    ...nothingElse,
    workloads: [],
  };
}
