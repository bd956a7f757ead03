import { UserError } from '../../model/errors.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import {
  countSlots,
  formatSlots,
  intersectSlots,
  lowestSlots,
  slotsFrom,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';

/** What one source gives. */
export interface SourceShare {
  readonly source: RedisNode;
  readonly slots: SlotSet;
}

/** Says which source gives which slots; sources that give none are left out. Throws UserError. */
export function chooseSlots(
  snapshot: ClusterSnapshot,
  sources: readonly RedisNode[],
  target: RedisNode,
  wanted: number | SlotSet,
): readonly SourceShare[] {
  const shares =
    typeof wanted === 'number'
      ? byNumber(sources, target, wanted)
      : byName(snapshot, sources, target, wanted);
  return shares
    .map(({ source, slots }) => {
      const stale = staleSlots(source, target);
      return {
        source,
        slots: unionSlots(slots, typeof wanted === 'number' ? stale : intersectSlots(stale, wanted)),
      };
    })
    .filter(({ slots }) => slots.length > 0);
}

/**
 * Slots that the target owns while the source still calls them migrating: an interrupted move ended before the source
 * was told. To whom they were to go does not matter, since that node may have died and left them to the target. They
 * hold no keys at the source any more and only have to be closed.
 */
function staleSlots(source: RedisNode, target: RedisNode): SlotSet {
  const leaving = source.view?.self.migrating ?? [];
  return intersectSlots(target.slots, slotsFrom(leaving.map(({ slot }) => slot)));
}

function byName(
  snapshot: ClusterSnapshot,
  sources: readonly RedisNode[],
  target: RedisNode,
  wanted: SlotSet,
): readonly SourceShare[] {
  const owned = unionSlots(...sources.map(({ slots }) => slots));
  const elsewhere = subtractSlots(wanted, unionSlots(owned, target.slots));
  if (elsewhere.length > 0) {
    const owner = mastersOf(snapshot).find(({ slots }) => intersectSlots(slots, elsewhere).length > 0);
    const whose =
      owner === undefined
        ? 'no master owns them'
        : `${nodeName(owner)} owns ${formatSlots(intersectSlots(owner.slots, elsewhere))}`;
    throw new UserError(
      'invalid-input',
      `Slots ${formatSlots(elsewhere)} are not owned by the source nodes: ${whose}.`,
    );
  }
  const left = intersectSlots(wanted, owned);
  const stale = unionSlots(...sources.map((source) => staleSlots(source, target)));
  if (left.length === 0 && intersectSlots(wanted, stale).length === 0) {
    throw new UserError('nothing-to-do', `${nodeName(target)} already owns slots ${formatSlots(wanted)}.`);
  }
  return sources.map((source) => ({ source, slots: intersectSlots(source.slots, left) }));
}

/** Half-moved slots first; the rest in proportion, the lowest slots of each source. */
function byNumber(sources: readonly RedisNode[], target: RedisNode, count: number): readonly SourceShare[] {
  const total = sources.reduce((sum, { slots }) => sum + countSlots(slots), 0);
  if (!Number.isInteger(count) || count < 1 || count > total) {
    throw new UserError(
      'invalid-input',
      `${count} is not a number of slots that can be moved: the source nodes own ${total.toLocaleString('en-US')}.`,
    );
  }
  const open = lowestSlots(unionSlots(...sources.map((source) => openTowards(source, target))), count);
  const closed = sources.map((source) => ({ source, slots: subtractSlots(source.slots, open) }));
  const numbers = shareOut(
    closed.map(({ slots }) => countSlots(slots)),
    count - countSlots(open),
  );
  return closed.map(({ source, slots }, index) => ({
    source,
    slots: unionSlots(intersectSlots(source.slots, open), lowestSlots(slots, numbers[index] ?? 0)),
  }));
}

/** The source's slots that a move to this target has left open, by either one's word. */
function openTowards(source: RedisNode, target: RedisNode): SlotSet {
  const leaving = (source.view?.self.migrating ?? []).filter(({ nodeId }) => nodeId === target.id);
  const coming = (target.view?.self.importing ?? []).filter(({ nodeId }) => nodeId === source.id);
  return intersectSlots(source.slots, slotsFrom([...leaving, ...coming].map(({ slot }) => slot)));
}

/**
 * Shares a number out in proportion like redis-cli does: the biggest source gives its share rounded up, the others
 * theirs rounded down. What rounding leaves over, redis-cli does not move; here the next sources give one more each.
 */
export function shareOut(sizes: readonly number[], count: number): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const shares = sizes.map(() => 0);
  const bySize = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size - a.size);
  let left = count;
  for (const [rank, { size, index }] of bySize.entries()) {
    const share = total === 0 ? 0 : (count * size) / total;
    const rounded = rank === 0 ? Math.ceil(share) : Math.floor(share);
    shares[index] = rounded;
    left -= rounded;
  }
  for (const { size, index } of [...bySize.slice(1), ...bySize.slice(0, 1)]) {
    const share = shares[index] ?? 0;
    if (left === 0 || share === size) continue;
    shares[index] = share + 1;
    left--;
  }
  return shares;
}
