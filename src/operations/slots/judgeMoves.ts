import { bytesText } from '../../model/bytes.ts';
import { UserError } from '../../model/errors.ts';
import { canRead, releaseText } from '../../model/release.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { countSlots, type SlotSet } from '../../model/slots.ts';

interface Move {
  readonly from: string;
  readonly to: string;
  readonly slots: SlotSet;
}

/**
 * What a plan's moves of slots may run into on the servers that take them: warnings. Throws UserError `unsafe` where the
 * keys could not even be read there.
 */
export function judgeMoves(snapshot: ClusterSnapshot, moves: readonly Move[]): readonly string[] {
  for (const move of moves) refuseOlderTarget(snapshot, move);
  return roomWarnings(snapshot, moves);
}

/** As halfway through an upgrade: a server reads what older ones write, and not the other way round. */
function refuseOlderTarget({ nodes }: ClusterSnapshot, { from, to }: Move): void {
  const [source, target] = [from, to].map((wanted) => nodes.find(({ id }) => id === wanted));
  if (source?.view === undefined || target?.view === undefined) return;
  if (source.view.keys === 0 || canRead(target.view, source.view)) return;
  throw new UserError(
    'unsafe',
    `${nodeName(target)} is ${releaseText(target.view)} and cannot read keys of ${nodeName(source)}, which is ${releaseText(source.view)}. Upgrade it first, or move slots in the other direction. Nothing was changed.`,
  );
}

/**
 * Warns where what comes may not fit: a server at its memory limit refuses keys or evicts others for them. What comes
 * is reckoned from how much memory the source uses for all its slots.
 */
function roomWarnings(snapshot: ClusterSnapshot, moves: readonly Move[]): readonly string[] {
  const coming = new Map<string, number>();
  for (const { from, to, slots } of moves) {
    const source = snapshot.nodes.find(({ id }) => id === from);
    const owned = countSlots(source?.slots ?? []);
    if (source?.view === undefined || source.view.keys === 0 || owned === 0) continue;
    const bytes = (source.view.usedMemoryBytes * countSlots(slots)) / owned;
    coming.set(to, (coming.get(to) ?? 0) + bytes);
  }
  return snapshot.nodes.flatMap((node) => {
    const bytes = coming.get(node.role === 'master' ? node.id : (node.masterId ?? '')) ?? 0;
    return warningFor(node, bytes);
  });
}

function warningFor(node: RedisNode, coming: number): readonly string[] {
  if (coming === 0 || node.view === undefined || node.view.maxMemoryBytes === 0) return [];
  const { maxMemoryBytes, usedMemoryBytes, uncountedMemoryBytes, evictionPolicy } = node.view;
  const free = Math.max(0, maxMemoryBytes - (usedMemoryBytes - uncountedMemoryBytes));
  if (coming <= free) return [];
  const then =
    evictionPolicy === 'noeviction'
      ? 'the migration would stop there'
      : `it would evict keys to make room (${evictionPolicy})`;
  return [
    `About ${bytesText(coming)} move to ${nodeName(node)}, which has ${bytesText(free)} left below its maxmemory: ${then}.`,
  ];
}
