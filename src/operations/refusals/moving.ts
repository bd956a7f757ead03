import { UserError } from '../../model/errors.ts';
import { mastersOf, nodeName, uncoveredSlots } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots, hasSlot, intersectSlots } from '../../model/slots.ts';

/**
 * A reshard of a cluster that is not whole could only make it worse. Slots that an interrupted reshard between these
 * same nodes left open are no obstacle: the reshard is what closes them. Throws UserError `unsafe`.
 */
export function refuseUnlessWhole(
  snapshot: ClusterSnapshot,
  sources: readonly RedisNode[],
  target: RedisNode,
): void {
  refuseDeadMasters(snapshot, [...sources, target]);
  const uncovered = uncoveredSlots(snapshot);
  if (uncovered.length > 0) {
    throw unsafe(`No master serves slots ${formatSlots(uncovered)}. Restart their master first.`);
  }
  refuseTwoOwners(snapshot, sources, target);
  refuseForeignOpenSlots(snapshot, sources, target);
}

function unsafe(message: string): UserError {
  return new UserError('unsafe', `${message} Nothing was changed.`);
}

/** A failed master that owns nothing, such as one whose replica took over, is in nobody's way. */
export function refuseDeadMasters(snapshot: ClusterSnapshot, involved: readonly RedisNode[]): void {
  for (const node of mastersOf(snapshot)) {
    const dead = node.health === 'failed' || node.health === 'unreachable';
    if (!dead || (node.slots.length === 0 && !involved.includes(node))) continue;
    const what = node.health === 'failed' ? 'has failed' : 'does not answer';
    throw unsafe(`Master ${nodeName(node)} ${what}. Wait for it or for its replica to take over.`);
  }
}

/** Source and target may both claim a slot for a moment, when a move was interrupted at its very end. */
function refuseTwoOwners(snapshot: ClusterSnapshot, sources: readonly RedisNode[], target: RedisNode): void {
  const masters = mastersOf(snapshot);
  for (const [index, one] of masters.entries()) {
    for (const other of masters.slice(index + 1)) {
      const both = intersectSlots(one.slots, other.slots);
      const ends = (one === target && sources.includes(other)) || (other === target && sources.includes(one));
      if (both.length === 0 || ends) continue;
      throw unsafe(`${nodeName(one)} and ${nodeName(other)} both claim slots ${formatSlots(both)}.`);
    }
  }
}

function refuseForeignOpenSlots(
  snapshot: ClusterSnapshot,
  sources: readonly RedisNode[],
  target: RedisNode,
): void {
  const masters = mastersOf(snapshot);
  // A peer that serves no more is an end that failed over since: the move goes on with the one that took its place.
  const serves = (id: string): boolean =>
    masters.some((node) => node.id === id && (node.slots.length > 0 || node.view !== undefined));
  const isOurs = (ours: readonly RedisNode[], id: string): boolean =>
    ours.some((node) => node.id === id) || !serves(id);
  // A target that imports from a node that has died lists that one's slots still, whoever owns them now.
  const owned = masters.filter(({ view }) => view !== undefined);
  const isTheirs = (slot: number): boolean =>
    owned.every((node) => node === target || sources.includes(node) || !hasSlot(node.slots, slot));
  for (const node of masters) {
    const { migrating = [], importing = [] } = node.view?.self ?? {};
    // A node may still call slots migrating that it does not own any more: these only have to be closed.
    const leaving = migrating.filter(({ slot }) => hasSlot(node.slots, slot));
    const foreign =
      leaving.find(({ nodeId }) => !sources.includes(node) || !isOurs([target], nodeId)) ??
      importing.find(({ slot, nodeId }) => node !== target || !isOurs(sources, nodeId) || !isTheirs(slot));
    if (foreign !== undefined) throw openSlot(snapshot, foreign.slot, node, foreign.nodeId);
  }
}

function openSlot(snapshot: ClusterSnapshot, slot: number, node: RedisNode, peerId: string): UserError {
  const peer = snapshot.nodes.find(({ id }) => id === peerId);
  const peerName = peer === undefined ? peerId : nodeName(peer);
  return unsafe(
    `Slot ${slot} is open for a migration between ${nodeName(node)} and ${peerName}. Complete that migration first.`,
  );
}
