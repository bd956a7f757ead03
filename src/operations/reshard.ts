import { quantity } from '../model/quantity.ts';
import { UserError } from '../model/errors.ts';
import type { MoveOptions } from '../model/moves.ts';
import type { Plan } from './plans/plan.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { countSlots, intersectSlots, subtractSlots, type SlotSet } from '../model/slots.ts';
import { movingAs } from './slots/moveOptions.ts';
import { chooseSlots, type SourceShare } from './slots/chooseSlots.ts';
import { refuseUnlessWhole } from './refusals/moving.ts';
import { judgeMoves } from './slots/judgeMoves.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { namesIn } from './servers/nodes.ts';
import { makeStep } from './steps/index.ts';

export interface ReshardRequest extends MoveOptions {
  /** Node ids of masters, or all that own slots but the target. */
  readonly from: 'all' | readonly string[];
  /** The node id of the master that receives the slots. */
  readonly to: string;
  /** How many, taken from the sources in proportion, or which. */
  readonly slots: number | SlotSet;
}

/**
 * Plans a reshard. Slots that the target owns already are left out and slots that an interrupted reshard to the same
 * target left open come first, so that the same request said again goes on. Throws UserError where it must not begin.
 */
export function planReshard(snapshot: ClusterSnapshot, request: ReshardRequest): Plan {
  refuseIncomplete(snapshot);
  const target = findMaster(snapshot, request.to, 'receive slots');
  const sources = findSources(snapshot, request, target);
  refuseUnlessWhole(snapshot, sources, target);
  const shares = chooseSlots(snapshot, sources, target, request.slots);
  const total = countMoving(shares);
  const steps = shares.map(({ source, slots }) =>
    makeStep('moveSlots', { from: source.id, to: target.id, slots }, namesIn(snapshot)),
  );
  const plan = {
    title: `Reshard ${quantity(total, 'slot')} to ${nodeName(target)}`,
    ref: snapshot.ref,
    operation: 'reshard',
    request,
    steps,
    warnings: [...warningsFor(request.slots, shares, target), ...judgeMoves(snapshot, steps)],
    losses: [],
  };
  return movingAs(plan, request);
}

function findSources(
  snapshot: ClusterSnapshot,
  { from }: ReshardRequest,
  target: RedisNode,
): readonly RedisNode[] {
  if (from === 'all') {
    return mastersOf(snapshot).filter((node) => node.id !== target.id && node.slots.length > 0);
  }
  const ids = new Set(from);
  if (ids.size === 0) throw new UserError('invalid-input', 'Name at least one master to move slots from.');
  if (ids.has(target.id)) {
    throw new UserError(
      'invalid-input',
      `${nodeName(target)} cannot move slots to itself: choose another source or another target.`,
    );
  }
  return [...ids].map((id) => findMaster(snapshot, id, 'give slots'));
}

function findMaster(snapshot: ClusterSnapshot, id: string, purpose: string): RedisNode {
  const node = snapshot.nodes.find((candidate) => candidate.id === id);
  if (node === undefined) throw new UserError('not-found', `The cluster has no node with the id "${id}".`);
  if (node.role === 'master') return node;
  const master = snapshot.nodes.find((candidate) => candidate.id === node.masterId);
  const advice = master === undefined ? '' : ` Its master is ${nodeName(master)} (${master.id}).`;
  throw new UserError(
    'invalid-input',
    `${nodeName(node)} is a replica, and only a master can ${purpose}.${advice}`,
  );
}

function warningsFor(
  wanted: number | SlotSet,
  shares: readonly SourceShare[],
  target: RedisNode,
): readonly string[] {
  const emptied = shares
    .filter(({ source, slots }) => subtractSlots(source.slots, slots).length === 0)
    .map(
      ({ source }) =>
        `${nodeName(source)} will own no slots. If its cluster-allow-replica-migration is on, it becomes a replica of ${nodeName(target)}.`,
    );
  const there = typeof wanted === 'number' ? 0 : countSlots(wanted) - countMoving(shares);
  const owned = `${nodeName(target)} owns ${there.toLocaleString('en-US')} of these slots already; they are skipped.`;
  return there > 0 ? [owned, ...emptied] : emptied;
}

/** Slots that still have to move; those of a share that only have to be closed are not counted. */
function countMoving(shares: readonly SourceShare[]): number {
  return shares.reduce((sum, { source, slots }) => sum + countSlots(intersectSlots(slots, source.slots)), 0);
}
