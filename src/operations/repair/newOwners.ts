import { mastersOf, nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import {
  countSlots,
  eachSlot,
  formatSlots,
  intersectSlots,
  lowestSlots,
  slotsFrom,
  splitSlots,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import { answers } from '../servers/nodes.ts';
import type { StrayKeys } from './lostFacts.ts';
import type { Unserved } from './unserved.ts';

export interface NewOwners {
  readonly newOwners: ReadonlyMap<RedisNode, SlotSet>;
  /** Slots in which several masters hold keys, as sentences. */
  readonly disputed: readonly string[];
}

/**
 * Who gets slots that nobody serves. One without keys goes with its neighbours: what one master served stays together.
 * Where no key tells, all slots of a lost master go to one that serves nothing, as its pod does that came back without
 * its volume (the others of these become its replicas); what is left then is shared, a range for each master.
 */
export function newOwnersFor(
  snapshot: ClusterSnapshot,
  { slots, lost }: Unserved,
  stray: StrayKeys,
): NewOwners {
  const masters = mastersOf(snapshot).filter((node) => answers(node));
  const mastersWithKeys = (slot: number): readonly RedisNode[] =>
    masters.filter(({ id }) => stray.get(id)?.has(slot) === true);
  const newOwners = new Map<RedisNode, SlotSet>();
  const give = (node: RedisNode, own: SlotSet): void => {
    if (own.length > 0) newOwners.set(node, unionSlots(newOwners.get(node) ?? [], own));
  };
  const [disputed, empty]: [number[], number[]] = [[], []];
  for (const range of slots) {
    const own = [...eachSlot([range])];
    let owner = own.map(mastersWithKeys).find(({ length }) => length === 1)?.[0];
    for (const slot of own) {
      const those = mastersWithKeys(slot);
      if (those.length > 1) {
        disputed.push(slot);
        continue;
      }
      owner = those[0] ?? owner;
      if (owner === undefined) empty.push(slot);
      else give(owner, slotsFrom([slot]));
    }
  }
  let left = slotsFrom(empty);
  const spares = masters.filter(
    (node) => node.slots.length === 0 && node.view.keys === 0 && !newOwners.has(node),
  );
  const vacant = lost.map((node) => intersectSlots(node.slots, left)).filter(({ length }) => length > 0);
  for (const [index, spare] of spares.slice(0, vacant.length).entries()) {
    give(spare, vacant[index] ?? []);
    left = subtractSlots(left, vacant[index] ?? []);
  }
  for (const [node, own] of sharesOf(left, masters, newOwners)) give(node, own);
  const conflicts = Map.groupBy(disputed, (slot) => mastersWithKeys(slot).map(nodeName).join(' and '));
  const texts = [...conflicts].map(
    ([those, own]) =>
      `${those} hold keys in slots ${formatSlots(slotsFrom(own))}, and you have to decide whose are newer.`,
  );
  return { newOwners, disputed: texts };
}

/** Piece by piece to whoever would have the fewest slots; then each takes as many in one range. */
function sharesOf(
  slots: SlotSet,
  masters: readonly RedisNode[],
  newOwners: ReadonlyMap<RedisNode, SlotSet>,
): ReadonlyMap<RedisNode, SlotSet> {
  const sizes = new Map(
    masters.map((node) => [node, countSlots(node.slots) + countSlots(newOwners.get(node) ?? [])]),
  );
  const counts = new Map<RedisNode, number>();
  for (const piece of splitSlots(slots, Math.ceil(countSlots(slots) / masters.length) || 1)) {
    const [fewest] = [...sizes].sort(([, a], [, b]) => a - b);
    if (fewest === undefined) break;
    const [node, size] = fewest;
    sizes.set(node, size + countSlots(piece));
    counts.set(node, (counts.get(node) ?? 0) + countSlots(piece));
  }
  let left = slots;
  return new Map(
    masters.map((node) => {
      const own = lowestSlots(left, counts.get(node) ?? 0);
      left = subtractSlots(left, own);
      return [node, own];
    }),
  );
}
