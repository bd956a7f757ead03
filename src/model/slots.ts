import { UserError } from './errors.ts';

/** Number of hash slots in every Redis Cluster (Redis Cluster specification, "Key distribution model"). */
export const slotCount = 16_384;

/** A closed range of hash slots: both ends belong to it. */
export type SlotRange = readonly [start: number, end: number];

/** Hash slots as sorted, disjoint, non-adjacent ranges: the one form that all functions here take and return. */
export type SlotSet = readonly SlotRange[];

/** Sorts and joins ranges or single slots, so that equal sets have equal forms. */
export function slotSet(ranges: Iterable<SlotRange>): SlotSet {
  const joined: [number, number][] = [];
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1] + 1) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

/** The set that holds just these slots. */
export function slotsFrom(slots: Iterable<number>): SlotSet {
  return slotSet([...slots].map((slot): SlotRange => [slot, slot]));
}

export const allSlots: SlotSet = [[0, slotCount - 1]];

export function countSlots(set: SlotSet): number {
  return set.reduce((sum, [start, end]) => sum + end - start + 1, 0);
}

export function hasSlot(set: SlotSet, slot: number): boolean {
  return set.some(([start, end]) => start <= slot && slot <= end);
}

export function* eachSlot(set: SlotSet): Generator<number> {
  for (const [start, end] of set) for (let slot = start; slot <= end; slot++) yield slot;
}

export function unionSlots(...sets: readonly SlotSet[]): SlotSet {
  return slotSet(sets.flat());
}

/** What is in `set` and not in `other`. */
export function subtractSlots(set: SlotSet, other: SlotSet): SlotSet {
  const left: SlotRange[] = [];
  for (const range of set) {
    let start = range[0];
    for (const [from, to] of other) {
      if (to < start || from > range[1]) continue;
      if (from > start) left.push([start, from - 1]);
      start = to + 1;
    }
    if (start <= range[1]) left.push([start, range[1]]);
  }
  return left;
}

export function intersectSlots(set: SlotSet, other: SlotSet): SlotSet {
  return subtractSlots(set, subtractSlots(set, other));
}

/** The lowest `count` slots of a set, as redis-cli chooses them when it reshards by number. */
export function lowestSlots(set: SlotSet, count: number): SlotSet {
  const taken: SlotRange[] = [];
  let left = count;
  for (const [start, end] of set) {
    if (left <= 0) break;
    const last = Math.min(end, start + left - 1);
    taken.push([start, last]);
    left -= last - start + 1;
  }
  return taken;
}

/** Cuts a set into pieces of at most `size` slots, in order. */
export function splitSlots(set: SlotSet, size: number): readonly SlotSet[] {
  const pieces: SlotSet[] = [];
  let rest = set;
  while (rest.length > 0) {
    const piece = lowestSlots(rest, size);
    pieces.push(piece);
    rest = subtractSlots(rest, piece);
  }
  return pieces;
}

/** Slots that a server calls open, whichever way they move. */
export function openSlotsIn(line: {
  readonly migrating: readonly { readonly slot: number }[];
  readonly importing: readonly { readonly slot: number }[];
}): SlotSet {
  return slotsFrom([...line.migrating, ...line.importing].map(({ slot }) => slot));
}

/** `0-99,200`: the form users type and the form all views print. The empty set prints as an empty text. */
export function formatSlots(set: SlotSet): string {
  return set
    .map(([start, end]) => (start === end ? String(start) : `${String(start)}-${String(end)}`))
    .join(',');
}

/** Reads `0-99,200`. Throws a UserError that names the part that is not a slot or a range of slots. */
export function parseSlots(text: string): SlotSet {
  const ranges = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseRange);
  if (ranges.length === 0) {
    throw new UserError(
      'invalid-input',
      'No hash slots given. Enter slots and ranges, for example 0-99,200.',
    );
  }
  return slotSet(ranges);
}

function parseRange(part: string): SlotRange {
  const match = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (match === null) {
    throw new UserError('invalid-input', `"${part}" is not a hash slot or a range of slots such as 0-99.`);
  }
  if (start >= slotCount || end >= slotCount) {
    throw new UserError(
      'invalid-input',
      `"${part}" is out of range: hash slots go from 0 to ${String(slotCount - 1)}.`,
    );
  }
  if (start > end)
    throw new UserError('invalid-input', `"${part}" runs backwards: enter the lower slot first.`);
  return [start, end];
}
