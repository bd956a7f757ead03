import type { FixRequest } from './repair/lostFacts.ts';
import { quantity } from '../model/quantity.ts';
import { describeRef } from '../model/clusterRef.ts';
import { partsWithData } from '../model/parts.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterPart, ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { eachSlot, formatSlots, unionSlots, type SlotSet } from '../model/slots.ts';
import type { StrayKeys } from './repair/lostFacts.ts';
import { nothingElse, refusePossibleOwners, type PossibleOwnerFacts } from './repair/possibleOwners.ts';
import { newOwnersFor } from './repair/newOwners.ts';
import { unservedSlots } from './repair/unserved.ts';
import { nameOf, namesIn, refusal, refuseUnformed } from './servers/nodes.ts';
import { whyDead } from './failover/takeovers.ts';
import { presumedLost } from './repair/lost.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import type { NameOf } from './steps/step.ts';

/**
 * Plans to have every slot served again: a slot that nobody serves goes to the one master that holds keys in it or in the
 * slots beside it, otherwise to one that serves nothing or little. Throws a UserError where there is no such slot, where none may be given
 * away, or where a server that is not part of the plan may hold them.
 */
export function planFix(
  snapshot: ClusterSnapshot,
  stray: StrayKeys,
  possibleOwners: PossibleOwnerFacts = nothingElse,
  request: FixRequest = {},
): Plan {
  const dead = deadOf(snapshot, request);
  refuseUnformed(snapshot);
  refuseIncomplete(snapshot);
  const unserved = unservedSlots(snapshot, dead);
  const { lost, kept } = unserved;
  const { newOwners, disputed } = newOwnersFor(snapshot, unserved, stray);
  const left = [...kept, ...disputed];
  if (newOwners.size === 0) {
    if (left.length > 0)
      throw refusal('unsafe', `No slot can be assigned to another master. ${left.join(' ')}`);
    throw refusal('nothing-to-do', `All hash slots of ${describeRef(snapshot.ref)} are served.`);
  }
  refusePossibleOwners(snapshot, possibleOwners, dead);
  return {
    title: `Fix ${snapshot.name}: assign ${slotsText(unionSlots(...newOwners.values()))}`,
    ref: snapshot.ref,
    operation: 'fix',
    request: dead.length === 0 ? {} : { dead },
    steps: [...newOwners].map(([node, own]) => stepFor(node, own, stray, dead, namesIn(snapshot))),
    warnings: [
      ...left.map((text) => `Not changed: ${text}`),
      ...lost.filter(({ health }) => health !== 'failed').map((node) => whyDead(snapshot, node)),
    ],
    losses: [
      ...lost.map((node) => lossOf(node)),
      ...presumedLosses(snapshot, dead),
      ...partsWithData(snapshot).map(lossOfPart),
    ],
  };
}

/** Only those of which it has to be a person who says it: of the others their peers or Kubernetes do. */
function deadOf(snapshot: ClusterSnapshot, { dead = [] }: FixRequest): readonly string[] {
  const possible = new Set(presumedLost(snapshot));
  return dead.filter((id) => possible.has(id));
}

/** For nodes that are dead by a person's word only. */
function presumedLosses(snapshot: ClusterSnapshot, dead: readonly string[]): readonly string[] {
  if (dead.length === 0) return [];
  const names = dead.map((id) => nameOf(snapshot, id)).join(', ');
  return [
    `If one of these still runs somewhere (${names}), its keys and all that clients write there are lost when it returns.`,
  ];
}

function stepFor(
  node: RedisNode,
  slots: SlotSet,
  stray: StrayKeys,
  dead: readonly string[],
  nameOf: NameOf,
): Step {
  const counts = stray.get(node.id) ?? new Map<number, number>();
  const held = [...eachSlot(slots)].filter((slot) => counts.has(slot));
  const keys = held.reduce((sum, slot) => sum + (counts.get(slot) ?? 0), 0);
  const given = { node: node.id, slots, ...(dead.length === 0 ? {} : { dead }) };
  const holding = keys === 0 ? undefined : `it holds ${quantity(keys, 'key')} in them`;
  return makeStep('assignSlots', given, nameOf, holding);
}

function lossOf(node: RedisNode): string {
  const where =
    node.pod === undefined
      ? ''
      : ` Its pod is still there (${node.pod.reason ?? node.pod.phase}): restore it instead if you can.`;
  return `Keys in slots ${formatSlots(node.slots)} that only ${nodeName(node)} has are lost: it deletes them if it returns.${where}`;
}

/** For a person who has chosen to go on with one part: what is in the others. */
function lossOfPart({ nodes, keys }: ClusterPart): string {
  return `${quantity(keys, 'key')} on ${nodes.map(nodeName).join(', ')} in other parts of the cluster are lost: their slots then belong to other masters, and the keys are deleted when the parts reconnect.`;
}
