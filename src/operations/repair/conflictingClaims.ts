import { mastersOf, nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots, intersectSlots, subtractSlots, unionSlots } from '../../model/slots.ts';
import { answers } from '../servers/nodes.ts';

/**
 * Why a node must not be introduced to others, in words; undefined where it may. Two masters that claim the same slot
 * settle it by their config epochs when they meet, and the one with the lower epoch drops its keys in it without a
 * word. That is right only for a master whose place was taken by a failover: then later ones claim all of its slots.
 */
export function conflictingClaim(snapshot: ClusterSnapshot, node: RedisNode): string | undefined {
  for (const other of mastersOf(snapshot)) {
    const both = intersectSlots(node.slots, other.slots);
    if (other === node || both.length === 0 || !areApart(node, other)) continue;
    if (isSucceeded(snapshot, node) || isSucceeded(snapshot, other)) continue;
    const [one, two] = [node, other].map(nodeName).sort();
    const slots = formatSlots(both);
    return `${one} and ${two} both claim slots ${slots} and do not know each other: when they connect, one of them deletes its keys in these slots. Look at both, decide which one should own the slots, and send CLUSTER DELSLOTS for them to the other.`;
  }
  return undefined;
}

function areApart(node: RedisNode, other: RedisNode): boolean {
  return answers(node) && answers(other) && !(isLinked(node, other) && isLinked(other, node));
}

function isLinked({ view }: RedisNode, { id }: RedisNode): boolean {
  return view?.others.some((line) => line.id === id && line.linkState === 'connected') === true;
}

function isSucceeded(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  const later = mastersOf(snapshot).filter(({ configEpoch }) => configEpoch > node.configEpoch);
  return subtractSlots(node.slots, unionSlots(...later.map(({ slots }) => slots))).length === 0;
}
