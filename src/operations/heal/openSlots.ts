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
    const source = masterNow(snapshot, sourceId) ?? ownerBut(masters, slot, targetId);
    const target = masterNow(snapshot, targetId);
    const owners = masters.filter(({ slots }) => hasSlot(slots, slot));
    const isClear = source !== undefined && target !== undefined && source !== target && owners.length > 0;
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

/** Who serves for a node: itself, or the replica that took its place meanwhile and that it follows now. */
function masterNow(snapshot: ClusterSnapshot, id: string): RedisNode | undefined {
  const node = snapshot.nodes.find((one) => one.id === id);
  const master = node?.role === 'replica' ? snapshot.nodes.find((one) => one.id === node.masterId) : node;
  return answers(master) && master.role === 'master' ? master : undefined;
}

/** Where the source is gone for good, the one that owns its slot took its place: a failover gives slots to one only. */
function ownerBut(masters: readonly RedisNode[], slot: number, targetId: string): RedisNode | undefined {
  const owners = masters.filter(({ id, slots }) => id !== targetId && hasSlot(slots, slot));
  return owners.length === 1 ? owners[0] : undefined;
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
