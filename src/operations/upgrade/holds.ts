import type { Place, UpgradePorts } from './ports.ts';

/** The agents that stand back while an upgrade runs; a pod that was restarted has to be told again. */
export interface Holds {
  add(pod: string): Promise<void>;
  release(): void;
}

/** A server that does not answer has no agent that could act; it is told once its pod is back. */
export function holdPods({ namespace, port }: Place, { holdNode }: UpgradePorts): Holds {
  const held = new Map<string, { release(): void }>();
  return {
    async add(pod) {
      held.get(pod)?.release();
      held.delete(pod);
      try {
        held.set(pod, await holdNode(namespace, pod, port));
      } catch {
        return;
      }
    },
    release() {
      for (const hold of held.values()) hold.release();
      held.clear();
    },
  };
}
