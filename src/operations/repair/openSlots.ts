import { mistakenImports } from '../../model/mistakenImports.ts';
import { makeStep, type Step } from '../steps/index.ts';
import { quantity } from '../../model/quantity.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { eachSlot, hasSlot, slotsFrom, unionSlots, type SlotSet } from '../../model/slots.ts';
import { answers, namesIn } from '../servers/nodes.ts';
import { disputeText, doubtText } from './doubtText.ts';
import type { HealFacts } from './openFacts.ts';
import {
  answeringMasters,
  callsOpen,
  judgeSlot,
  openSlotsOn,
  type Master,
  type SlotCase,
} from './slotCase.ts';
import { openOnReplicas } from './openOnReplicas.ts';

/** What interrupted moves left open or astray, and what to do about it. */
export interface OpenSlotsRepair {
  readonly steps: readonly Step[];
  /** Slots that are left untouched, each with what a person has to decide. */
  readonly unclear: readonly string[];
}

interface Stray {
  readonly node: Master;
  readonly keys: number;
}

interface Repair extends SlotCase {
  /** Masters that hold keys of the slot, or call it open, and are neither its owner nor where it goes. */
  readonly strays: readonly Stray[];
}

/**
 * One repair for each slot, whatever the number of nodes that call it open: the owner's word says where it belongs, keys
 * elsewhere are brought there, and only a server without keys of the slot closes it. A slot of which that is not clear
 * is left untouched.
 */
export function repairOpenSlots(snapshot: ClusterSnapshot, facts: HealFacts): OpenSlotsRepair {
  const masters = answeringMasters(snapshot);
  const counted = [...facts.keys.values()].flatMap((counts) => [...counts.keys()]);
  const repairs: Repair[] = [];
  const unclear: string[] = [];
  const left = new Set<number>();
  for (const slot of eachSlot(unionSlots(openSlotsOn(masters), slotsFrom(counted)))) {
    const repair = repairFor(snapshot, facts, masters, slot);
    if (typeof repair === 'string') {
      unclear.push(repair);
      left.add(slot);
    } else repairs.push(repair);
  }
  const steps = [
    ...corrections(snapshot, masters, left),
    ...closings(snapshot, repairs),
    ...keyMoves(snapshot, repairs),
    ...moves(snapshot, repairs),
  ];
  assertOneMove(steps);
  return { steps, unclear: [...new Set(unclear)] };
}

/** The repair, or why there is none. */
function repairFor(
  snapshot: ClusterSnapshot,
  { keys, disputes }: HealFacts,
  masters: readonly Master[],
  slot: number,
): Repair | string {
  const place = judgeSlot(snapshot, slot, ({ id }) => keys.get(id)?.has(slot) === false);
  if (!('destination' in place)) return doubtText(snapshot, slot, place);
  const { owner, destination } = place;
  const keysOn = ({ id }: Master): number => keys.get(id)?.get(slot) ?? 0;
  const strays = masters
    .filter((node) => node !== owner && node !== destination)
    .filter((node) => keysOn(node) > 0 || callsOpen(node, slot))
    .map((node): Stray => ({ node, keys: keysOn(node) }));
  const involved = [owner, destination, ...strays.map(({ node }) => node)];
  const unasked = involved.find(({ id }) => !keys.has(id));
  if (unasked !== undefined) {
    return `Slot ${slot} is open, and ${nodeName(unasked)} could not be asked for its keys in it. Heal again when it answers.`;
  }
  const dispute = disputes.get(slot);
  if (dispute !== undefined) return disputeText(slot, owner, dispute);
  if (owner === destination) return { ...place, strays };
  if (strays.length > 0 && hasSlot(destination.slots, slot)) {
    return doubtText(snapshot, slot, { why: 'owners', owners: [owner, destination] });
  }
  const dead = mastersOf(snapshot).find((node) => !answers(node) && node.slots.length > 0);
  if (dead === undefined) return { ...place, strays };
  return `The migration of slot ${slot} from ${nodeName(owner)} to ${nodeName(destination)} cannot be completed while ${nodeName(dead)} does not answer. Heal again when it does, or when a replica has taken over.`;
}

/**
 * Importing marks that name another master than the owner come to name the owner, before any slot moves, also in slots
 * that are left to a person (see mistakenImports). One that names a node that is gone is corrected by the move.
 */
function corrections(
  snapshot: ClusterSnapshot,
  masters: readonly Master[],
  left: ReadonlySet<number>,
): readonly Step[] {
  const wrong = masters.flatMap((node) =>
    mistakenImports(node, snapshot)
      .filter(({ slot }) => !left.has(slot) || !isHome(snapshot, slot, node))
      .map(({ slot, owner }) => ({ slot, node, owner })),
  );
  const groups = Map.groupBy(wrong, ({ node, owner }) => `${node.id} ${owner.id}`);
  return [...groups.values()].flatMap((group): readonly Step[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { node, owner } = first;
    const marks = { node: node.id, owner: owner.id, slots: slotsOf(group) };
    return [makeStep('correctImports', marks, namesIn(snapshot))];
  });
}

/** Its mark says whether keys that it holds came from the owner: to change it would settle what a person has to decide. */
function isHome(snapshot: ClusterSnapshot, slot: number, node: Master): boolean {
  const place = judgeSlot(snapshot, slot, () => false);
  return 'destination' in place && place.destination.id === node.id;
}

/** Marks of owners that say nothing: nobody else holds a key, or it is brought to the owner then, which takes none while it is migrating. */
function closings(snapshot: ClusterSnapshot, repairs: readonly Repair[]): readonly Step[] {
  const closed = Map.groupBy(
    repairs.filter(({ closesOwner }) => closesOwner),
    ({ owner }) => owner,
  );
  return [...closed].map(([owner, group]): Step => {
    const closed = { node: owner.id, slots: slotsOf(group) };
    return makeStep('closeSlots', closed, namesIn(snapshot), 'it owns and keeps them');
  });
}

function keyMoves(snapshot: ClusterSnapshot, repairs: readonly Repair[]): readonly Step[] {
  const all = repairs.flatMap((repair) => repair.strays.map((stray) => ({ ...repair, ...stray })));
  const groups = Map.groupBy(
    all,
    ({ node, destination, owner, keys }) => `${node.id} ${destination.id} ${owner.id} ${keys > 0}`,
  );
  return [...groups.values()].flatMap((group): readonly Step[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { node, destination, owner } = first;
    const keys = group.reduce((sum, stray) => sum + stray.keys, 0);
    const owns = nodeName(owner);
    const place =
      destination === owner ? `${owns} owns them` : `${owns} is migrating them to ${nodeName(destination)}`;
    const stray = { from: node.id, to: destination.id, slots: slotsOf(group) };
    return [makeStep('bringKeys', stray, namesIn(snapshot), `${quantity(keys, 'key')}; ${place}`)];
  });
}

/** An owner that is migrating a slot finishes that, since its target may have served clients. */
function moves(snapshot: ClusterSnapshot, repairs: readonly Repair[]): readonly Step[] {
  const groups = Map.groupBy(
    repairs.filter(({ owner, destination }) => owner !== destination),
    ({ owner, destination }) => `${owner.id} ${destination.id}`,
  );
  return [...groups.values()].flatMap((group): readonly Step[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { owner, destination } = first;
    const move = { from: owner.id, to: destination.id, slots: slotsOf(group) };
    return [makeStep('moveSlots', move, namesIn(snapshot), 'completes an interrupted migration')];
  });
}

function slotsOf(group: readonly { readonly slot: number }[]): SlotSet {
  return slotsFrom(group.map(({ slot }) => slot));
}

/** Two moves of one slot would run against each other and drop keys, so a plan that has them is a bug. */
function assertOneMove(steps: readonly Step[]): void {
  const moved = steps.flatMap((step) => (step.kind === 'moveSlots' ? [...eachSlot(step.slots)] : []));
  if (new Set(moved).size < moved.length) throw new Error('the plan moves a slot twice');
}

/**
 * Only replicas of Valkey know of open slots. One that was being copied to while slots moved has heard of their opening
 * in its copy and not of their end; promoted it would send clients to where the keys are no more.
 */
export function repairReplicas(snapshot: ClusterSnapshot): readonly Step[] {
  return mastersOf(snapshot).flatMap((master): readonly Step[] => {
    const slots = openOnReplicas(snapshot, master);
    if (!answers(master) || master.view.product !== 'valkey' || slots.length === 0) return [];
    return [
      makeStep('closeSlots', { node: master.id, slots }, namesIn(snapshot), 'only replicas call them open'),
    ];
  });
}
