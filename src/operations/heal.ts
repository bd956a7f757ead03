import { quantity } from '../model/quantity.ts';
import { isWithoutAddress } from '../model/goneMembers.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { unservedSlots } from './repair/unserved.ts';
import { needIntroduction, announcedAddressOf } from './repair/introductions.ts';
import type { HealFacts } from './repair/openFacts.ts';
import { repairLinks } from './repair/misplacedMasters.ts';
import { repairOpenSlots, repairReplicas } from './repair/openSlots.ts';
import { conflictingClaim } from './repair/conflictingClaims.ts';
import { answers, namesIn, refusal, refuseUnformed, refuseUnread } from './servers/nodes.ts';
import { refuseDuplicates } from './refusals/refuseDuplicates.ts';

/**
 * Plans to repair what can be repaired without losing a key: nodes that have lost each other's address are introduced
 * again, replicas are pointed to where their masters are, strayed keys are brought home, moves of slots that were interrupted are finished or closed, and slots that
 * replicas alone call open are closed. What is not clear is left untouched, and the warnings say what a person has to
 * decide. Throws a UserError where there is nothing to repair.
 */
export function planHeal(snapshot: ClusterSnapshot, facts: HealFacts): Plan {
  refuseUnread(snapshot);
  refuseDuplicates(snapshot);
  refuseUnformed(snapshot);
  const conflicts = new Map(snapshot.nodes.map((node) => [node, conflictingClaim(snapshot, node)]));
  const introductions = snapshot.nodes.flatMap((node) =>
    conflicts.get(node) === undefined ? introductionOf(snapshot, node, facts) : [],
  );
  const { steps: repairs, unclear: openUnclear } = repairOpenSlots(snapshot, facts);
  const links = repairLinks(snapshot);
  const unclear = [
    ...new Set([...conflicts.values()].flatMap((why) => why ?? [])),
    ...openUnclear,
    ...links.unclear,
  ];
  const closings = repairReplicas(snapshot);
  const steps = [...introductions, ...repairs, ...links.steps, ...closings];
  if (steps.length === 0) {
    if (unclear.length > 0) throw refusal('unsafe', `${listed(unclear)} You have to decide.`);
    const { slots } = unservedSlots(snapshot);
    const lost = withoutAddress(snapshot);
    const fix =
      slots.length === 0 ? '' : ` No master serves ${slotsText(slots)}: “Fix Uncovered Slots…” assigns them.`;
    throw refusal(
      'nothing-to-do',
      `Nothing to heal: all nodes of ${snapshot.name} that answer know each other’s addresses, no slot is open, and no key is in a slot that another node serves.${lost}${fix}`,
    );
  }
  const silent = snapshot.nodes.filter((node) => !answers(node));
  return {
    title: `Heal ${snapshot.name}: ${subject(introductions.length, repairs, links.steps.length, closings.length)}`,
    ref: snapshot.ref,
    operation: 'heal',
    request: {},
    steps,
    warnings: [
      ...unclear.map((text) => `${text} It is not changed.`),
      ...silent.map((node) => `${nodeName(node)} does not answer and is not changed.`),
    ],
    losses: [],
  };
}

/** Nodes that cannot be introduced from here, and what has to be done for that. */
function withoutAddress(snapshot: ClusterSnapshot): string {
  const lost = snapshot.nodes
    .filter(({ id }) => isWithoutAddress(snapshot, id))
    .filter((node) => !answers(node));
  if (lost.length === 0) return '';
  return ` All others have lost the ${lost.length === 1 ? 'address' : 'addresses'} of ${lost.map(nodeName).join(', ')}: add the cluster again with ${lost.length === 1 ? 'it' : 'them'}, and heal then.`;
}

const mostTexts = 10;

/** A thousand slots of one kind would make a thousand sentences. */
function listed(texts: readonly string[]): string {
  const more = texts.length > mostTexts ? ` And ${texts.length - mostTexts} more like these.` : '';
  return texts.slice(0, mostTexts).join(' ') + more;
}

function subject(introductions: number, repairs: readonly Step[], links: number, closings: number): string {
  const moves = repairs.filter(({ kind }) => kind === 'moveSlots').length;
  return [
    ...(introductions === 0 ? [] : [`introduce ${quantity(introductions, 'node')} again`]),
    ...(moves === 0 ? [] : [`complete ${quantity(moves, 'interrupted migration')}`]),
    ...(repairs.length === moves
      ? []
      : ['move stray keys to their slot owners and correct or close their slots']),
    ...(links === 0
      ? []
      : [
          `point ${quantity(links, 'replica')} to the present address of ${links === 1 ? 'its master' : 'their masters'}`,
        ]),
    ...(closings === 0 ? [] : ['close slots on replicas']),
  ].join(', ');
}

function introductionOf(
  snapshot: ClusterSnapshot,
  node: RedisNode,
  { announced }: HealFacts,
): readonly Step[] {
  if (!answers(node)) return [];
  const at = announcedAddressOf(snapshot, node, announced.get(node.id));
  const those = needIntroduction(snapshot, at);
  if (those.length === 0) return [];
  const names = those.length > 4 ? quantity(those.length, 'node') : those.map(nodeName).join(', ');
  return [makeStep('meet', at, namesIn(snapshot), `${names} ${those.length === 1 ? 'needs' : 'need'} it`)];
}
