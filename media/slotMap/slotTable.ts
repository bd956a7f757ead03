import { eachSlot, slotCount, type SlotRange } from '../../src/model/slots.ts';
import type {
  ContestedSlots,
  MovingSlots,
  ShardState,
  SlotMapState,
} from '../../src/ui/panels/slotMap/messages.ts';

/** A state spread out by slot, so that drawing and pointing need no search. */
export interface SlotTable {
  readonly state: SlotMapState;
  readonly owners: readonly (ShardState | undefined)[];
  readonly moving: ReadonlyMap<number, MovingSlots>;
  readonly contested: ReadonlyMap<number, ContestedSlots>;
}

/** `unverified`: its master did not answer us, so its peers' word stands in for its own. */
export type SlotStanding = 'served' | 'moving' | 'contested' | 'failed' | 'unverified' | 'uncovered';

export function slotTable(state: SlotMapState): SlotTable {
  const owners = Array.from({ length: slotCount }, (): ShardState | undefined => undefined);
  for (const shard of state.shards) for (const slot of eachSlot(shard.slots)) owners[slot] = shard;
  const contested = new Map<number, ContestedSlots>();
  for (const claim of state.contested) {
    const owner = state.shards.find((shard) => shard.id === claim.owner);
    for (const slot of eachSlot(claim.slots)) {
      owners[slot] = owner;
      contested.set(slot, claim);
    }
  }
  const moving = new Map<number, MovingSlots>();
  for (const move of state.moving) for (const slot of eachSlot(move.slots)) moving.set(slot, move);
  return { state, owners, moving, contested };
}

export function standingOf(table: SlotTable, slot: number): SlotStanding {
  const owner = table.owners[slot];
  if (table.moving.has(slot)) return 'moving';
  if (owner === undefined) return 'uncovered';
  if (table.contested.has(slot)) return 'contested';
  if (owner.health === 'failed') return 'failed';
  return owner.health === 'unreachable' ? 'unverified' : 'served';
}

/** The run of slots around this one that have its owner. */
export function rangeAt(table: SlotTable, slot: number): SlotRange {
  const owner = table.owners[slot]?.id;
  let start = slot;
  let end = slot;
  while (start > 0 && table.owners[start - 1]?.id === owner) start--;
  while (end < slotCount - 1 && table.owners[end + 1]?.id === owner) end++;
  return [start, end];
}

/** Where the next run starts, or in the other direction where this run or the one before it starts. */
export function nextRange(table: SlotTable, slot: number, direction: 1 | -1): number {
  const [start, end] = rangeAt(table, slot);
  if (direction === 1) return Math.min(end + 1, slotCount - 1);
  return slot > start || start === 0 ? start : rangeAt(table, start - 1)[0];
}

/** Slots that show another colour than before. */
export function changedSlots(before: SlotTable, after: SlotTable): readonly number[] {
  const changed: number[] = [];
  for (let slot = 0; slot < slotCount; slot++) {
    if (before.owners[slot]?.colour !== after.owners[slot]?.colour) changed.push(slot);
  }
  return changed;
}

/** How many slots are of each standing; those that are of none are left out. */
export function countStandings(table: SlotTable): ReadonlyMap<SlotStanding, number> {
  const counts = new Map<SlotStanding, number>();
  for (let slot = 0; slot < slotCount; slot++) {
    const standing = standingOf(table, slot);
    counts.set(standing, (counts.get(standing) ?? 0) + 1);
  }
  return counts;
}

/** Slots that some master serves, by its own word. An open slot is served by its source. */
export function coveredCount(table: SlotTable): number {
  return table.owners.filter((owner) => owner !== undefined && isServing(owner)).length;
}

/** Whether a master is known to serve its slots; not so where it has failed or does not answer. */
export function isServing(shard: ShardState): boolean {
  return shard.health === 'ok' || shard.health === 'degraded';
}
