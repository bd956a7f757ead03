import { isAbort, messageOf, UserError } from '../../model/errors.ts';
import type { NodeView, OpenSlot } from '../../model/nodeView.ts';
import { canRead, releaseText } from '../../model/release.ts';
import {
  eachSlot,
  formatSlots,
  hasSlot,
  intersectSlots,
  slotsFrom,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import { closeSlots } from '../admin.ts';
import { adopt, tell } from './handOver.ts';
import type { MoveConnections } from './connections.ts';
import { readPair, waitUntilReady, type PairViews } from './ready.ts';
import { nameIn, type MoveRequest } from './request.ts';

export interface Prepared extends PairViews {
  /** Slots that an earlier run had handed over, perhaps without telling everybody. */
  readonly finished: SlotSet;
}

/**
 * Waits until both ends are fit for the move, and finishes what an earlier run had all but finished. Throws UserError,
 * also where a server refuses since it has not heard yet who is a master, such as after a failover.
 */
export async function prepare(request: MoveRequest, connections: MoveConnections): Promise<Prepared> {
  try {
    return await makeReady(request, connections);
  } catch (error) {
    if (error instanceof UserError || isAbort(error)) throw error;
    const { from, to } = request;
    throw new UserError(
      'failed',
      `Moving slots from ${nameIn(request, from)} to ${nameIn(request, to)} did not start: ${messageOf(error)}. No key was moved. Wait until the nodes agree on their roles, then run it again.`,
      { cause: error },
    );
  }
}

async function makeReady(request: MoveRequest, connections: MoveConnections): Promise<Prepared> {
  const { from, to, slots, signal } = request;
  const first = await readPair(connections, signal);
  const adopted = await adoptOrphans(request, connections, first);
  const { source, target } = await waitUntilReady(
    connections,
    adopted ? await readPair(connections, signal) : first,
    request,
  );
  const finished = intersectSlots(slots, target.self.slots);
  const lost = subtractSlots(slots, unionSlots(finished, source.self.slots));
  if (lost.length > 0) {
    throw new UserError(
      'unsafe',
      `${nameIn(request, from)} does not own slots ${formatSlots(lost)}. Nothing was moved. Refresh the cluster before resharding.`,
    );
  }
  const rest = subtractSlots(slots, finished);
  refuseForeign(request, rest, source, target);
  if (rest.length > 0) refuseUnreadable(request, source, target);
  if (finished.length > 0)
    await tell({ ...connections, from, to }, connections.others, [...eachSlot(finished)]);
  await closeSlots(connections.source, [...eachSlot(subtractSlots(finished, source.self.slots))]);
  return { source, target, finished };
}

/**
 * Whether there were slots that the target imports from a node whose place the source has taken, or on which it has a
 * mark of another move while the source, which owns them, is migrating them to it: only the owner's word counts.
 */
async function adoptOrphans(
  { from, to, slots, otherMasters }: MoveRequest,
  connections: MoveConnections,
  { source, target }: PairViews,
): Promise<boolean> {
  const ours = slotsFrom(source.self.migrating.filter(({ nodeId }) => nodeId === to).map(({ slot }) => slot));
  const isOrphan = ({ slot, nodeId }: OpenSlot): boolean =>
    nodeId !== from && (hasSlot(ours, slot) || !otherMasters.includes(nodeId));
  const orphans = slotsFrom(target.self.importing.filter(isOrphan).map(({ slot }) => slot));
  // What it had been giving away before it lost the slot, it would give away again once it owns the slot.
  const stale = slotsFrom(target.self.migrating.map(({ slot }) => slot));
  const wanted = subtractSlots(intersectSlots(slots, source.self.slots), target.self.slots);
  const [lost, marked] = [intersectSlots(orphans, wanted), intersectSlots(stale, wanted)];
  if (marked.length > 0) await closeSlots(connections.target, [...eachSlot(marked)]);
  const again = [...eachSlot(unionSlots(lost, marked))];
  if (again.length === 0) return false;
  await adopt({ ...connections, from, to }, again);
  return true;
}

/** Each key would be refused with "DUMP payload version or checksum are wrong", after its slot was opened. */
function refuseUnreadable(request: MoveRequest, source: NodeView, target: NodeView): void {
  if (source.keys === 0 || canRead(target, source)) return;
  throw new UserError(
    'unsafe',
    `${nameIn(request, request.to)} is ${releaseText(target)} and cannot read keys of ${nameIn(request, request.from)}, which is ${releaseText(source)}. Upgrade it first. Nothing was moved.`,
  );
}

/**
 * Slots that are open between these two masters are ours to carry on; those of another move are not. Of a slot that the
 * target owns the source may still say that it migrates to whom the target has succeeded.
 */
function refuseForeign(request: MoveRequest, slots: SlotSet, source: NodeView, target: NodeView): void {
  const foreign = [...source.self.migrating, ...target.self.importing].filter(
    ({ slot, nodeId }) => hasSlot(slots, slot) && request.otherMasters.includes(nodeId),
  );
  if (foreign.length > 0) {
    throw new UserError(
      'unsafe',
      `Slots ${formatSlots(slotsFrom(foreign.map(({ slot }) => slot)))} are open for a migration to or from another node. Complete that migration first. Nothing was moved.`,
    );
  }
}
