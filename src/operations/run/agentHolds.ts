import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import type { StepPorts } from '../steps/ports.ts';

/** The pods' agents that stand back while an operation changes their cluster. */
export interface AgentHolds {
  /** Agents of nodes that answer stand back from now on, also those of nodes that have joined or come back since. */
  add(snapshot: ClusterSnapshot): Promise<void>;
  /** All may act again. */
  release(): void;
}

/** Holds by node id and pod uid: with a pod that was replaced the connection went that made its agent stand back. */
export function agentHolds({ redis, dialer }: Pick<StepPorts, 'redis' | 'dialer'>): AgentHolds {
  const held = new Map<string, { readonly uid: string | undefined; readonly hold: { release(): void } }>();
  const isHeld = ({ id, pod }: RedisNode): boolean => held.has(id) && held.get(id)?.uid === pod?.uid;
  return {
    async add({ nodes }) {
      const newcomers = nodes.filter((node) => node.view !== undefined && !isHeld(node));
      await Promise.all(
        newcomers.map(async ({ id, pod }) => {
          held.get(id)?.hold.release();
          held.delete(id);
          const hold = await redis.pauseAgents(dialer, [id]);
          held.set(id, { uid: pod?.uid, hold });
        }),
      );
    },
    release() {
      for (const { hold } of held.values()) hold.release();
      held.clear();
    },
  };
}
