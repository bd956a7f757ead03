import type { Place, UpgradePorts } from './ports.ts';

/** The agents that are paused while an upgrade runs; that of a restarted pod has to be paused again. */
export interface AgentPauses {
  add(pod: string): Promise<void>;
  release(): void;
}

/** A server that does not answer has no agent that could act; it is paused once its pod is back. */
export function pauseAgentsOf({ namespace, port }: Place, { pauseAgent }: UpgradePorts): AgentPauses {
  const paused = new Map<string, { release(): void }>();
  return {
    async add(pod) {
      paused.get(pod)?.release();
      paused.delete(pod);
      try {
        paused.set(pod, await pauseAgent(namespace, pod, port));
      } catch {
        return;
      }
    },
    release() {
      for (const pause of paused.values()) pause.release();
      paused.clear();
    },
  };
}
