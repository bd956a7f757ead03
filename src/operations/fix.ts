import { describeRef } from '../model/clusterRef.ts';
import type { Plan, Step } from '../model/plan.ts';
import { mastersOf, nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import {
  countSlots,
  eachSlot,
  formatSlots,
  slotsFrom,
  splitSlots,
  unionSlots,
  type SlotSet,
} from '../model/slots.ts';
import type { StrayKeys } from './fix/facts.ts';
import { unservedSlots } from './fix/unserved.ts';
import { answers, count, refusal } from './nodes.ts';

/**
 * Plans to have every slot served again: a slot that nobody serves goes to the one master that holds keys in it or in the
 * slots beside it, and otherwise to one with few slots. Throws a UserError where there is no such slot, or none that may be given away.
 */
export function planFix(snapshot: ClusterSnapshot, stray: StrayKeys): Plan {
  const { slots, lost, kept } = unservedSlots(snapshot);
  const { homes, disputed } = homesFor(snapshot, slots, stray);
  const left = [...kept, ...disputed];
  if (homes.size === 0) {
    if (left.length > 0) throw refusal('unsafe', `No slot can be given to another master. ${left.join(' ')}`);
    throw refusal('invalid-input', `All hash slots of ${describeRef(snapshot.ref)} are served.`);
  }
  return {
    title: `Fix ${snapshot.name}: assign ${slotsText(unionSlots(...homes.values()))}`,
    ref: snapshot.ref,
    operation: 'fix',
    request: {},
    steps: [...homes].map(([node, own]) => stepFor(node, own, stray)),
    warnings: left.map((text) => `Left as it is: ${text}`),
    losses: lost.map((node) => lossOf(node)),
  };
}

interface Homes {
  readonly homes: ReadonlyMap<RedisNode, SlotSet>;
  /** Slots in which several masters hold keys, as sentences. */
  readonly disputed: readonly string[];
}

/** A slot without keys goes with its neighbours: what one master served stays together. */
function homesFor(snapshot: ClusterSnapshot, slots: SlotSet, stray: StrayKeys): Homes {
  const masters = mastersOf(snapshot).filter((node) => answers(node));
  const holders = (slot: number): readonly RedisNode[] =>
    masters.filter(({ id }) => stray.get(id)?.has(slot) === true);
  const homes = new Map<RedisNode, SlotSet>();
  const give = (node: RedisNode | undefined, own: SlotSet): void => {
    if (node !== undefined) homes.set(node, unionSlots(homes.get(node) ?? [], own));
  };
  const [disputed, empty]: [number[], number[]] = [[], []];
  for (const range of slots) {
    const own = [...eachSlot([range])];
    let home = own.map(holders).find(({ length }) => length === 1)?.[0];
    for (const slot of own) {
      const those = holders(slot);
      if (those.length > 1) {
        disputed.push(slot);
        continue;
      }
      home = those[0] ?? home;
      if (home === undefined) empty.push(slot);
      else give(home, slotsFrom([slot]));
    }
  }
  for (const piece of splitSlots(slotsFrom(empty), Math.ceil(empty.length / masters.length) || 1)) {
    give(fewest(masters, homes), piece);
  }
  const rivals = Map.groupBy(disputed, (slot) => holders(slot).map(nodeName).join(' and '));
  const texts = [...rivals].map(
    ([those, own]) =>
      `${those} hold keys in slots ${formatSlots(slotsFrom(own))}, and a person has to decide whose are newer.`,
  );
  return { homes, disputed: texts };
}

/** Who would have the fewest slots. */
function fewest(
  masters: readonly RedisNode[],
  homes: ReadonlyMap<RedisNode, SlotSet>,
): RedisNode | undefined {
  const size = (node: RedisNode): number => countSlots(unionSlots(node.slots, homes.get(node) ?? []));
  return masters.toSorted((a, b) => size(a) - size(b))[0];
}

function stepFor(node: RedisNode, slots: SlotSet, stray: StrayKeys): Step {
  const counts = stray.get(node.id) ?? new Map<number, number>();
  const held = [...eachSlot(slots)].filter((slot) => counts.has(slot));
  const keys = held.reduce((sum, slot) => sum + (counts.get(slot) ?? 0), 0);
  const holding = keys === 0 ? '' : `, in which it holds ${count(keys, 'key')}`;
  return {
    kind: 'assignSlots',
    node: node.id,
    slots,
    text: `${nodeName(node)} takes ${slotsText(slots)} (${formatSlots(slots)})${holding}`,
  };
}

function lossOf(node: RedisNode): string {
  const where =
    node.pod === undefined
      ? ''
      : ` Its pod is still there (${node.pod.reason ?? node.pod.phase}): bring it back instead, if you can.`;
  return `Keys that only ${nodeName(node)} has in slots ${formatSlots(node.slots)}: it drops them should it come back.${where}`;
}
