import { formatAddress } from './clusterRef.ts';
import { quantity } from './quantity.ts';
import type { ClusterSnapshot, RedisNode, Shard } from './snapshot.ts';
import { countSlots, subtractSlots, allSlots, unionSlots, type SlotSet } from './slots.ts';

/** The shards of a snapshot, by first slot; masters without slots come last, by id. */
export function shardsOf({ nodes }: ClusterSnapshot): readonly Shard[] {
  const masters = new Map(nodes.filter(({ role }) => role === 'master').map((node) => [node.id, node]));
  const replicas = Map.groupBy(
    nodes.filter(({ role, masterId }) => role === 'replica' && masterId !== undefined),
    ({ masterId }) => masterId,
  );
  const ids = new Set([...masters.keys(), ...nodes.flatMap(({ masterId }) => masterId ?? [])]);
  return [...ids]
    .map((id): Shard => {
      const master = masters.get(id);
      const followers = replicas.get(id) ?? [];
      return {
        id,
        replicas: followers,
        slots: master?.slots ?? [],
        ...(master === undefined ? {} : { master }),
      };
    })
    .sort(byFirstSlot);
}

function byFirstSlot(a: Shard, b: Shard): number {
  const first = (shard: Shard): number => shard.slots[0]?.[0] ?? Number.MAX_SAFE_INTEGER;
  return first(a) - first(b) || (a.id < b.id ? -1 : 1);
}

/** Masters in the order of their shards. */
export function mastersOf(snapshot: ClusterSnapshot): readonly RedisNode[] {
  return shardsOf(snapshot).flatMap((shard) => (shard.master === undefined ? [] : [shard.master]));
}

/** Slots that no master serves, by the masters' own word. */
export function uncoveredSlots(snapshot: ClusterSnapshot): SlotSet {
  return subtractSlots(allSlots, unionSlots(...shardsOf(snapshot).map((shard) => shard.slots)));
}

/** Slots whose master a majority of the others has declared failed: they are covered by name only. */
export function failedSlots(snapshot: ClusterSnapshot): SlotSet {
  return unionSlots(
    ...mastersOf(snapshot).flatMap(({ health, slots }) => (health === 'failed' ? [slots] : [])),
  );
}

/** Slots whose master did not answer and was not declared failed either: that it serves them is what its peers list. */
export function unverifiedSlots(snapshot: ClusterSnapshot): SlotSet {
  return unionSlots(
    ...mastersOf(snapshot).flatMap(({ health, slots }) => (health === 'unreachable' ? [slots] : [])),
  );
}

/** How a person calls a node: its pod where there is one, its address otherwise. */
export function nodeName(node: Pick<RedisNode, 'host' | 'port' | 'pod' | 'id'>): string {
  if (node.pod !== undefined) return node.pod.name;
  return node.host === '' ? node.id.slice(0, 8) : formatAddress(node);
}

/** `5,461 slots`, with the thousands marked. */
export function slotsText(set: SlotSet): string {
  return quantity(countSlots(set), 'slot');
}
