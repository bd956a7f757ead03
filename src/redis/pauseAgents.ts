import { pauseAgentOver } from './admin.ts';
import type { ClusterDialer } from './nodeConnection.ts';

/**
 * Pauses the agents of all these nodes while an operation runs. A node that does not answer has no
 * agent that could act, and is left out.
 */
export async function pauseAgents(
  dialer: ClusterDialer,
  nodeIds: readonly string[],
): Promise<{ release(): void }> {
  const pauses = await Promise.allSettled(
    nodeIds.map(async (nodeId) => pauseAgentOver(await dialer.dial(nodeId))),
  );
  return {
    release() {
      for (const pause of pauses) if (pause.status === 'fulfilled') pause.value.release();
    },
  };
}
