import { holdConnection } from './admin.ts';
import type { ClusterDialer } from './nodeConnection.ts';

/**
 * Tells the agents of all these nodes to stand back while an operation runs. A node that does not answer has no
 * agent that could act, and is left out.
 */
export async function holdAgents(
  dialer: ClusterDialer,
  nodeIds: readonly string[],
): Promise<{ release(): void }> {
  const holds = await Promise.allSettled(
    nodeIds.map(async (nodeId) => holdConnection(await dialer.dial(nodeId))),
  );
  return {
    release() {
      for (const hold of holds) if (hold.status === 'fulfilled') hold.value.release();
    },
  };
}
