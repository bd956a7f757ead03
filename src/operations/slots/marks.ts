import { UserError } from '../../model/errors.ts';
import { mistakenImports } from '../../model/mistakenImports.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import { hasSlot, type SlotSet } from '../../model/slots.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';

/** Throws UserError where the marks of a slot tell of several moves, or of one in which its owner has no part. */
export function refuseCrossedMarks(snapshot: ClusterSnapshot): void {
  const masters = mastersOf(snapshot);
  const marks = masters.flatMap(({ id, view }) => [
    ...(view?.self.migrating ?? []).map(({ slot, nodeId }) => ({ slot, from: id, to: nodeId })),
    ...(view?.self.importing ?? []).map(({ slot, nodeId }) => ({ slot, from: nodeId, to: id })),
  ]);
  for (const [slot, moves] of Map.groupBy(marks, (mark) => mark.slot)) {
    const [first] = moves;
    const isOne = moves.every(({ from, to }) => from === first?.from && to === first.to);
    const owners = masters.filter(({ slots, view }) => view !== undefined && hasSlot(slots, slot));
    if (isOne && owners.every(({ id }) => id === first?.from || id === first?.to)) continue;
    const ends = new Set(moves.flatMap(({ from, to }) => [from, to]));
    const names = masters.filter(({ id }) => ends.has(id)).map(nodeName);
    throw new UserError(
      'unsafe',
      `Slot ${slot} is open for several moves, or for one that its owner has no part in, between ${names.join(', ')}. Heal the cluster first. Nothing was changed.`,
    );
  }
}

/** Why a move of slots would set off another one, or run against it, by the marks of other masters; undefined if none would. */
export function crossedBy(
  { from, to, slots }: { readonly from: string; readonly to: string; readonly slots: SlotSet },
  snapshot: ClusterSnapshot,
): string | undefined {
  for (const node of mastersOf(snapshot)) {
    const isThird = node.id !== from && node.id !== to;
    const mark = node.view?.self.importing.find(({ slot }) => hasSlot(slots, slot));
    if (isThird && mark !== undefined)
      return `${nodeName(node)} imports slot ${mark.slot} too, and might take it. Heal the cluster first.`;
    const mistaken = mistakenImports(node, snapshot).find(({ named }) => [from, to].includes(named.id));
    if (mistaken === undefined) continue;
    const { slot, named, owner } = mistaken;
    return `${nodeName(node)} imports slot ${slot} from ${nodeName(named)}, which does not own it: when slots of ${nodeName(named)} move, Valkey gives slot ${slot} to ${nodeName(node)}, and ${nodeName(owner)} drops its keys there. Heal the cluster first.`;
  }
  return undefined;
}
