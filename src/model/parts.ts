import type { ClusterPart, ClusterSnapshot } from './snapshot.ts';

/** Other parts that hold something: a server that came back empty is joined again, and nothing of it can be lost. */
export function partsWithData(snapshot: ClusterSnapshot): readonly ClusterPart[] {
  return snapshot.otherParts.filter(({ keys, slots }) => keys > 0 || slots.length > 0);
}

/** Whether plans that could lose keys of another part are refused: no person has chosen the part to change. */
export function isApart(snapshot: ClusterSnapshot): boolean {
  return snapshot.isPartChosen !== true && partsWithData(snapshot).length > 0;
}

/** Whether a member that is not found may be a server that runs under another node id, in another part or as another's. */
export function mayRunUnderAnotherId(snapshot: ClusterSnapshot): boolean {
  return isApart(snapshot) || snapshot.mergedFrom.length > 0;
}

/** Servers that run, hold nothing and know none of the members: they are to join, or join by themselves. */
export function emptyParts(snapshot: ClusterSnapshot): readonly ClusterPart[] {
  const withData = new Set(partsWithData(snapshot));
  return snapshot.otherParts.filter((part) => !withData.has(part));
}
