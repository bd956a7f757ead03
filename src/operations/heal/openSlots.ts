import type { Step } from '../../model/plan.ts';
import { mastersOf, nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots, hasSlot, slotsFrom } from '../../model/slots.ts';
import { answers, nameOf } from '../nodes.ts';

/** What interrupted moves left open, and what to do about it. */
export interface OpenSlotsRepair {
  readonly steps: readonly Step[];
  /** Slots whose owner or other end is not clear, in words. */
  readonly unclear: readonly string[];
}

interface Pair {
  readonly slot: number;
  readonly source: RedisNode;
  readonly target: RedisNode;
}

/**
 * Interrupted moves are finished forward, never taken back: in an open slot some keys may be at the target already,
 * and closing it there would delete them. Which way is forward is what both ends say.
 */
export function repairOpenSlots(snapshot: ClusterSnapshot): OpenSlotsRepair {
  const masters = mastersOf(snapshot).filter((node) => answers(node));
  const pairs: Pair[] = [];
  const unclear: string[] = [];
  const consider = (slot: number, sourceId: string, targetId: string): void => {
    const source = masters.find(({ id }) => id === sourceId);
    const target = masters.find(({ id }) => id === targetId);
    const owners = masters.filter(({ slots }) => hasSlot(slots, slot));
    const isClear = source !== undefined && target !== undefined && owners.length > 0;
    if (isClear && owners.every((owner) => owner === source || owner === target)) {
      pairs.push({ slot, source, target });
      return;
    }
    unclear.push(
      `Slot ${slot} is open from ${nameOf(snapshot, sourceId)} to ${nameOf(snapshot, targetId)}, and ${owners.length === 0 ? 'nobody owns it' : `${owners.map(nodeName).join(' and ')} ${owners.length === 1 ? 'owns' : 'own'} it`}.`,
    );
  };
  for (const node of masters) {
    for (const { slot, nodeId } of node.view.self.migrating) consider(slot, node.id, nodeId);
    for (const { slot, nodeId } of node.view.self.importing) consider(slot, nodeId, node.id);
  }
  return { steps: stepsFor(pairs), unclear: [...new Set(unclear)] };
}

function stepsFor(pairs: readonly Pair[]): readonly Step[] {
  const groups = Map.groupBy(pairs, ({ source, target }) => `${source.id} ${target.id}`);
  return [...groups.values()].flatMap((group): readonly Step[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { source, target } = first;
    const slots = slotsFrom(group.map(({ slot }) => slot));
    return [
      {
        kind: 'moveSlots',
        from: source.id,
        to: target.id,
        slots,
        text: `Finish moving ${slotsText(slots)} (${formatSlots(slots)}) from ${nodeName(source)} to ${nodeName(target)}`,
      },
    ];
  });
}
