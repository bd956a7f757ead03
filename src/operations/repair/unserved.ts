import { mastersOf, nodeName, slotsText } from '../../model/shards.ts';
import type { StepOf } from '../steps/index.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { allSlots, formatSlots, subtractSlots, unionSlots, type SlotSet } from '../../model/slots.ts';
import { isSeenByPeers } from '../../model/goneMembers.ts';
import { answers, replicasOf } from '../servers/nodes.ts';
import { isLost, staysUndeclared, undeclaredText } from './lost.ts';

/** Slots that no master serves, and those among them that another one may be given. */
export interface Unserved {
  readonly slots: SlotSet;
  /** Whose place nobody can take any more: a majority of masters has declared it failed, and no replica of it answers. */
  readonly lost: readonly RedisNode[];
  /** Slots that are left as they are and why, as sentences. */
  readonly kept: readonly string[];
}

/**
 * A master counts as lost when its peers have declared it failed, for which a majority of masters is needed
 * (specification, "Failure detection"): so the smaller side of a cut network gives away nothing of the greater one. Where
 * they cannot, Kubernetes or a person has to say that it is dead.
 * @param dead ids of nodes that a person says are dead
 */
export function unservedSlots(snapshot: ClusterSnapshot, dead: readonly string[] = []): Unserved {
  const masters = mastersOf(snapshot);
  const served = unionSlots(...masters.filter((node) => answers(node)).map(({ slots }) => slots));
  const gone = masters.filter((node) => !answers(node) && subtractSlots(node.slots, served).length > 0);
  const whys = gone.map((node) => ({ node, why: reasonToKeep(snapshot, node, dead) }));
  const lost = whys.flatMap(({ node, why }) => (why === undefined ? [node] : []));
  const kept = whys.flatMap(({ node, why }) =>
    why === undefined
      ? []
      : [`${slotsText(node.slots)} (${formatSlots(node.slots)}) of ${nodeName(node)}: ${why}`],
  );
  const theirs = gone.filter((node) => !lost.includes(node)).map(({ slots }) => slots);
  return { slots: subtractSlots(allSlots, unionSlots(served, ...theirs)), lost, kept };
}

function reasonToKeep(
  snapshot: ClusterSnapshot,
  node: RedisNode,
  dead: readonly string[],
): string | undefined {
  if (isSeenByPeers(snapshot, node.id)) {
    return 'it could not be read from this machine, but its peers have not declared it failed: other nodes are connected to it.';
  }
  const candidates = replicasOf(snapshot, node.id).filter((replica) => answers(replica));
  if (candidates.length > 0) {
    return `${candidates.map(nodeName).join(', ')} ${candidates.length === 1 ? 'has' : 'have'} a copy; promote that instead.`;
  }
  if (isLost(snapshot, node, dead)) return undefined;
  if (staysUndeclared(snapshot, node)) return undeclaredText(snapshot, node.id);
  return 'it does not answer from this machine, but its peers have not declared it failed. If they cannot reach it either, they will within cluster-node-timeout; then run Fix again.';
}

/** Slots of the step that must not be given away now. */
export function notUnserved(
  snapshot: ClusterSnapshot,
  { node, slots, dead }: Pick<StepOf<'assignSlots'>, 'node' | 'slots' | 'dead'>,
): SlotSet {
  const own = snapshot.nodes.find(({ id }) => id === node)?.slots ?? [];
  return subtractSlots(slots, unionSlots(unservedSlots(snapshot, dead).slots, own));
}
