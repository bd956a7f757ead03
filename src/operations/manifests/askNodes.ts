import type { NodeView } from '../../model/nodeView.ts';
import type { PodFacts } from '../../model/snapshot.ts';

/** Milliseconds between two questions to one server: seldom while its pod starts, often when it is about to be done. */
const whileStarting = 1_000;
const whenReady = 250;

/** What the servers in pods said last. */
export interface NodeAsker {
  /**
   * Asks those that have not been asked lately, without waiting for them, and returns what each said last; `answered`
   * is called when one of them says something new. One that does not answer holds up nobody else.
   */
  views(pods: readonly PodFacts[], answered: () => void): readonly NodeView[];
}

interface Asked {
  readonly at: number;
  readonly busy: boolean;
  readonly view?: NodeView;
}

export function askNodes(
  readNode: (namespace: string, pod: string, port: number) => Promise<NodeView>,
  now: () => number,
): NodeAsker {
  const asked = new Map<string, Asked>();
  const ask = async (pod: PodFacts, answered: () => void): Promise<void> => {
    const { view: before } = asked.get(pod.uid) ?? {};
    asked.set(pod.uid, { at: now(), busy: true, ...(before === undefined ? {} : { view: before }) });
    try {
      const view = await readNode(pod.namespace, pod.name, pod.port);
      asked.set(pod.uid, { at: now(), busy: false, view });
      answered();
    } catch {
      // A server that does not answer yet is what is waited for.
      asked.set(pod.uid, { at: now(), busy: false });
    }
  };
  return {
    views: (pods, answered) => {
      const running = pods.filter((pod) => pod.ip !== undefined && pod.phase === 'Running');
      for (const pod of running) {
        const last = asked.get(pod.uid);
        const pause = pod.ready ? whenReady : whileStarting;
        if (last === undefined || (!last.busy && now() - last.at >= pause)) void ask(pod, answered);
      }
      return running.flatMap((pod) => asked.get(pod.uid)?.view ?? []);
    },
  };
}
