import { quantity } from '../model/quantity.ts';
import { describeRef } from '../model/clusterRef.ts';
import { partsWithData } from '../model/parts.ts';
import type { Plan, Step } from '../model/plan.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterPart, ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { eachSlot, formatSlots, unionSlots, type SlotSet } from '../model/slots.ts';
import type { StrayKeys } from './fix/facts.ts';
import { nothingElse, refuseHolders, type HolderFacts } from './fix/holders.ts';
import { homesFor } from './fix/homes.ts';
import { unservedSlots } from './fix/unserved.ts';
import { refusal, refuseUnformed } from './nodes.ts';
import { refuseIncomplete } from './refuseIncomplete.ts';

/**
 * Plans to have every slot served again: a slot that nobody serves goes to the one master that holds keys in it or in the
 * slots beside it, otherwise to one that serves nothing or little. Throws a UserError where there is no such slot, where none may be given
 * away, or where a server that is not part of the plan may hold them.
 */
export function planFix(
  snapshot: ClusterSnapshot,
  stray: StrayKeys,
  holders: HolderFacts = nothingElse,
): Plan {
  refuseUnformed(snapshot);
  refuseIncomplete(snapshot);
  const unserved = unservedSlots(snapshot);
  const { lost, kept } = unserved;
  const { homes, disputed } = homesFor(snapshot, unserved, stray);
  const left = [...kept, ...disputed];
  if (homes.size === 0) {
    if (left.length > 0) throw refusal('unsafe', `No slot can be given to another master. ${left.join(' ')}`);
    throw refusal('invalid-input', `All hash slots of ${describeRef(snapshot.ref)} are served.`);
  }
  refuseHolders(snapshot, holders);
  return {
    title: `Fix ${snapshot.name}: assign ${slotsText(unionSlots(...homes.values()))}`,
    ref: snapshot.ref,
    operation: 'fix',
    request: {},
    steps: [...homes].map(([node, own]) => stepFor(node, own, stray)),
    warnings: left.map((text) => `Left as it is: ${text}`),
    losses: [...lost.map((node) => lossOf(node)), ...partsWithData(snapshot).map(lossOfPart)],
  };
}

function stepFor(node: RedisNode, slots: SlotSet, stray: StrayKeys): Step {
  const counts = stray.get(node.id) ?? new Map<number, number>();
  const held = [...eachSlot(slots)].filter((slot) => counts.has(slot));
  const keys = held.reduce((sum, slot) => sum + (counts.get(slot) ?? 0), 0);
  const holding = keys === 0 ? '' : `, in which it holds ${quantity(keys, 'key')}`;
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

/** For a person who has chosen to go on with one part: what is in the others. */
function lossOfPart({ nodes, keys }: ClusterPart): string {
  return `${quantity(keys, 'key')} on ${nodes.map(nodeName).join(', ')}, which stand apart: their slots belong to other masters then, and the keys are dropped when the parts meet.`;
}
