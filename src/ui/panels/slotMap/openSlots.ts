import { nodeName } from '../../../model/shards.ts';
import { intersectSlots, slotsFrom, subtractSlots, type SlotSet } from '../../../model/slots.ts';
import type { ClusterSnapshot, Shard } from '../../../model/snapshot.ts';
import type { ContestedSlots, MovingSlots } from './messages.ts';

interface OpenPair {
  readonly from: string;
  readonly to: string;
  readonly atSource: number[];
  readonly atTarget: number[];
}

/** The open slots of a snapshot by source and target, as the two ends themselves say. */
export function movingSlots(snapshot: ClusterSnapshot): readonly MovingSlots[] {
  const pairs = new Map<string, OpenPair>();
  const pairOf = (from: string, to: string): OpenPair => {
    const key = `${from} ${to}`;
    const pair = pairs.get(key) ?? { from, to, atSource: [], atTarget: [] };
    pairs.set(key, pair);
    return pair;
  };
  for (const { id, view } of snapshot.nodes) {
    for (const { slot, nodeId } of view?.self.migrating ?? []) pairOf(id, nodeId).atSource.push(slot);
    for (const { slot, nodeId } of view?.self.importing ?? []) pairOf(nodeId, id).atTarget.push(slot);
  }
  const names = new Map(snapshot.nodes.map((node) => [node.id, nodeName(node)]));
  const nameOf = (id: string): string => names.get(id) ?? id.slice(0, 8);
  return [...pairs.values()].flatMap((pair) =>
    bySpeaker(pair).map(({ slots, saidBy }) => ({
      slots,
      from: pair.from,
      fromName: nameOf(pair.from),
      to: pair.to,
      toName: nameOf(pair.to),
      saidBy,
    })),
  );
}

function bySpeaker(pair: OpenPair): readonly Pick<MovingSlots, 'slots' | 'saidBy'>[] {
  const source = slotsFrom(pair.atSource);
  const target = slotsFrom(pair.atTarget);
  const parts: readonly Pick<MovingSlots, 'slots' | 'saidBy'>[] = [
    { slots: intersectSlots(source, target), saidBy: 'both' },
    { slots: subtractSlots(source, target), saidBy: 'source' },
    { slots: subtractSlots(target, source), saidBy: 'target' },
  ];
  return parts.filter(({ slots }) => slots.length > 0);
}

/**
 * Slots that two masters call their own, which gossip settles by config epoch. Sorted by the owner's epoch, lowest
 * first, so that whoever paints them in this order ends with the rightful owner.
 * @param explained slots that are being given to another owner now
 */
export function contestedSlots(shards: readonly Shard[], explained: SlotSet = []): readonly ContestedSlots[] {
  const epoch = (shard: Shard): number => shard.master?.configEpoch ?? 0;
  const rising = shards
    .filter((shard) => shard.slots.length > 0)
    .sort((a, b) => epoch(a) - epoch(b) || (a.id < b.id ? -1 : 1));
  return rising.flatMap((owner, index) =>
    rising
      .slice(0, index)
      .map((other) => ({
        slots: subtractSlots(intersectSlots(owner.slots, other.slots), explained),
        owner: owner.id,
        other: other.id,
      }))
      .filter(({ slots }) => slots.length > 0),
  );
}
