import { quantity } from '../model/quantity.ts';
import { UserError } from '../model/errors.ts';
import type { MoveOptions } from '../model/moves.ts';
import type { Plan } from './plans/plan.ts';
import { mastersOf, nodeName, uncoveredSlots } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import {
  countSlots,
  formatSlots,
  intersectSlots,
  lowestSlots,
  slotsFrom,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../model/slots.ts';
import { movingAs } from './slots/moveOptions.ts';
import { judgeMoves } from './slots/judgeMoves.ts';
import { refuseCrossedMarks } from './slots/marks.ts';
import { refuseDeadMasters } from './refusals/moving.ts';
import { transfersFor } from './slots/shares.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { namesIn } from './servers/nodes.ts';
import { makeStep } from './steps/index.ts';

export interface RebalanceRequest extends MoveOptions {
  /** By node id: how much of the whole in relation to the others; 1 where nothing is said, 0 empties a master. */
  readonly weights?: Readonly<Record<string, number>>;
  /** By how many percent of its share a master's number of slots may differ from it; 2 where nothing is said. */
  readonly threshold?: number;
  /** Whether masters without slots get their share; otherwise they are left out, unless their weight is given. */
  readonly useEmptyMasters?: boolean;
}

const usualThreshold = 2;

/** A move between two masters, before it is a step. */
interface Move {
  readonly from: RedisNode;
  readonly to: RedisNode;
  readonly slots: SlotSet;
}

/**
 * Plans the fewest moves after which every master has its share of the slots. What an interrupted move left open is
 * carried on first. Throws UserError where it must not begin, and where there is nothing to do.
 */
export function planRebalance(snapshot: ClusterSnapshot, request: RebalanceRequest): Plan {
  refuseIncomplete(snapshot);
  const masters = mastersOf(snapshot);
  checkRequest(masters, request);
  refuseUnlessSound(snapshot, masters);
  const weights = weightsOf(masters, request);
  const threshold = request.threshold ?? usualThreshold;
  const moves = movesOf(masters, weights, threshold);
  const total = moves.reduce((sum, { slots }) => sum + countSlots(slots), 0);
  if (total === 0) {
    throw new UserError(
      'nothing-to-do',
      `Every master of ${snapshot.name} is already within ${threshold}% of its share. Nothing was changed.`,
    );
  }
  const steps = moves.map(({ from, to, slots }) =>
    makeStep('moveSlots', { from: from.id, to: to.id, slots }, namesIn(snapshot)),
  );
  const plan = {
    title: `Rebalance ${snapshot.name}: ${quantity(total, 'slot')}`,
    ref: snapshot.ref,
    operation: 'rebalance',
    request,
    steps,
    warnings: [...warningsFor(masters, weights, request), ...judgeMoves(snapshot, steps)],
    losses: [],
  };
  return movingAs(plan, request);
}

function checkRequest(
  masters: readonly RedisNode[],
  { weights = {}, threshold = usualThreshold }: RebalanceRequest,
): void {
  if (!Number.isFinite(threshold) || threshold < 0 || threshold > 100) {
    throw invalid(`The threshold must be a percentage from 0 to 100, not ${threshold}.`);
  }
  for (const [id, weight] of Object.entries(weights)) {
    if (!masters.some((node) => node.id === id)) {
      throw invalid(`A weight is given for "${id}", which is not the node id of a master.`);
    }
    if (!Number.isFinite(weight) || weight < 0) {
      throw invalid(`The weight of ${id} must be 0 or more, not ${weight}.`);
    }
  }
}

function invalid(message: string): UserError {
  return new UserError('invalid-input', `${message} Nothing was changed.`);
}

/** Slots that are open between two masters are carried on; everything else that is not whole is refused. */
function refuseUnlessSound(snapshot: ClusterSnapshot, masters: readonly RedisNode[]): void {
  refuseDeadMasters(snapshot, masters);
  const uncovered = uncoveredSlots(snapshot);
  if (uncovered.length > 0) {
    throw unsafe(`No master serves slots ${formatSlots(uncovered)}. Restart their master first.`);
  }
  for (const [index, one] of masters.entries()) {
    for (const other of masters.slice(index + 1)) {
      const both = subtractSlots(
        intersectSlots(one.slots, other.slots),
        unionSlots(leaving(one, other), leaving(other, one)),
      );
      if (both.length === 0) continue;
      throw unsafe(`${nodeName(one)} and ${nodeName(other)} both claim slots ${formatSlots(both)}.`);
    }
    const { migrating = [], importing = [] } = one.view?.self ?? {};
    const stray = [...migrating, ...importing].find(({ nodeId }) => !masters.some(({ id }) => id === nodeId));
    if (stray !== undefined) {
      throw unsafe(
        `Slot ${stray.slot} of ${nodeName(one)} is open for a migration with ${stray.nodeId}, which is not a master. Heal the cluster first.`,
      );
    }
  }
  refuseCrossedMarks(snapshot);
}

function unsafe(message: string): UserError {
  return new UserError('unsafe', `${message} Nothing was changed.`);
}

function weightsOf(
  masters: readonly RedisNode[],
  { weights = {}, useEmptyMasters = false }: RebalanceRequest,
): ReadonlyMap<string, number> {
  const all = new Map(
    masters.map((node) => {
      const usual = node.slots.length > 0 || useEmptyMasters ? 1 : 0;
      return [node.id, weights[node.id] ?? usual];
    }),
  );
  if ([...all.values()].every((weight) => weight === 0)) {
    throw invalid('All weights are 0: no master would own any slot.');
  }
  return all;
}

function movesOf(
  masters: readonly RedisNode[],
  weights: ReadonlyMap<string, number>,
  threshold: number,
): readonly Move[] {
  const moves = new Map<string, Move>();
  const add = (from: RedisNode, to: RedisNode, slots: SlotSet): void => {
    if (slots.length === 0) return;
    const key = `${from.id} ${to.id}`;
    moves.set(key, { from, to, slots: unionSlots(moves.get(key)?.slots ?? [], slots) });
  };
  for (const from of masters) for (const to of masters) add(from, to, openBetween(from, to));
  const begun = [...moves.values()];
  const owned = new Map(masters.map((node) => [node.id, ownedAfter(node, begun)]));
  const shares = masters.map(({ id }) => ({
    id,
    weight: weights.get(id) ?? 0,
    slots: countSlots(owned.get(id) ?? []),
  }));
  for (const { from, to, slots } of transfersFor(shares, threshold)) {
    const [source, target] = [from, to].map((id) => masters.find((node) => node.id === id));
    if (source === undefined || target === undefined) continue;
    // What has yet to come is not there to be given on.
    const there = intersectSlots(owned.get(from) ?? [], source.slots);
    const chosen = lowestSlots(there, slots);
    owned.set(from, subtractSlots(owned.get(from) ?? [], chosen));
    add(source, target, chosen);
  }
  return [...moves.values()];
}

/** Slots that one master calls migrating to another. */
function leaving(from: RedisNode, to: RedisNode): SlotSet {
  const slots = (from.view?.self.migrating ?? []).filter(({ nodeId }) => nodeId === to.id);
  return slotsFrom(slots.map(({ slot }) => slot));
}

/** Slots of a move that was begun and not ended, by either one's word. */
function openBetween(from: RedisNode, to: RedisNode): SlotSet {
  const coming = (to.view?.self.importing ?? []).filter(({ nodeId }) => nodeId === from.id);
  const owned = unionSlots(from.slots, to.slots);
  const open = unionSlots(leaving(from, to), slotsFrom(coming.map(({ slot }) => slot)));
  return intersectSlots(open, owned);
}

function ownedAfter(node: RedisNode, moves: readonly Move[]): SlotSet {
  const gone = moves.filter(({ from }) => from === node).map(({ slots }) => slots);
  const come = moves.filter(({ to }) => to === node).map(({ slots }) => slots);
  return unionSlots(subtractSlots(node.slots, unionSlots(...gone)), ...come);
}

function warningsFor(
  masters: readonly RedisNode[],
  weights: ReadonlyMap<string, number>,
  { weights: given = {}, useEmptyMasters }: RebalanceRequest,
): readonly string[] {
  return masters.flatMap((node) => {
    const isLeftOut = node.slots.length === 0 && given[node.id] === undefined && useEmptyMasters !== true;
    if (isLeftOut) return [`${nodeName(node)} owns no slots and is skipped; useEmptyMasters includes it.`];
    if (weights.get(node.id) !== 0 || node.slots.length === 0) return [];
    return [
      `${nodeName(node)} will own no slots. If its cluster-allow-replica-migration is on, it becomes a replica of the master that receives its last slots.`,
    ];
  });
}
