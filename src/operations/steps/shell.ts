import { isKubernetesRef } from '../../model/clusterRef.ts';
import { nodeName } from '../../model/shards.ts';
import { shellWord } from '../../model/shellWord.ts';
import type { SlotSet } from '../../model/slots.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';

/** Writes the commands by which steps are done in a shell. What comes from a plan is quoted. */
export class Shell {
  readonly snapshot: ClusterSnapshot;
  /** What each node owns after the steps so far. */
  readonly owned: Map<string, SlotSet>;

  constructor(snapshot: ClusterSnapshot) {
    this.snapshot = snapshot;
    this.owned = new Map(snapshot.nodes.map(({ id, slots }) => [id, slots]));
  }

  /** Nodes other than this one that answer. */
  others(id: string): readonly string[] {
    return this.snapshot.nodes.flatMap((node) =>
      node.id === id || node.view === undefined ? [] : [node.id],
    );
  }

  /** redis-cli on a node: in its pod, or at its address. */
  redis(id: string, ...words: readonly string[]): string {
    const node = this.snapshot.nodes.find((one) => one.id === id);
    const command = words.map(shellWord).join(' ');
    if (node === undefined) return `# on ${shellWord(id)}: redis-cli ${command}`;
    if (node.pod === undefined) return `redis-cli -h ${shellWord(node.host)} -p ${node.port} ${command}`;
    const terminal = words.includes('-x') ? 'exec -i' : 'exec';
    return `${this.#kubectl()} ${terminal} ${shellWord(nodeName(node))} -c ${shellWord(node.pod.container)} -- redis-cli -p ${node.port} ${command}`;
  }

  /** CLUSTER SETSLOT for each slot, since it takes one. */
  setSlots(id: string, slots: SlotSet, ...words: readonly string[]): readonly string[] {
    const one = this.redis(id, 'CLUSTER', 'SETSLOT', 'SLOT', ...words).replace(' SLOT ', ' "$slot" ');
    return slots.map(([start, end]) => `for slot in $(seq ${start} ${end}); do ${one}; done`);
  }

  kubectl(...words: readonly string[]): string {
    return [this.#kubectl(), ...words.map(shellWord)].join(' ');
  }

  #kubectl(): string {
    const { ref } = this.snapshot;
    return isKubernetesRef(ref)
      ? `kubectl --context ${shellWord(ref.context)} -n ${shellWord(ref.namespace)}`
      : 'kubectl';
  }
}
