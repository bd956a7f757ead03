import type { ClusterDialer, NodeConnection } from '../../redis/nodeConnection.ts';

/** Lends a connection to a member, and closes it however its use ends. Rejects as dialling and the use do. */
export async function withConnection<T>(
  { dialer }: { readonly dialer: ClusterDialer },
  nodeId: string,
  use: (connection: NodeConnection) => Promise<T>,
): Promise<T> {
  const connection = await dialer.dial(nodeId);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}
