import type { ClusterSnapshot } from './snapshot.ts';

/** Fewer masters cannot agree that one of them has failed. */
export const fewestMasters = 3;

/**
 * Whether these are servers that never formed a cluster, or all left theirs: each that answers is a master without slots
 * that knows no other, or only others like it, all of them empty, as after a Form Cluster that ended half-way. Then there
 * is nothing to repair, and slots and roles are for a person to give.
 */
export function isUnformed({
  nodes,
  unknownNodes,
}: Pick<ClusterSnapshot, 'nodes' | 'unknownNodes'>): boolean {
  if (nodes.length === 0) return false;
  const isSlotless = nodes.every(
    ({ view }) => view !== undefined && view.self.masterId === undefined && view.self.slots.length === 0,
  );
  if (!isSlotless) return false;
  const areEmpty = nodes.every(({ view }) => view?.keys === 0);
  return areAlone({ nodes }) || (areEmpty && unknownNodes.every(({ flags }) => flags.includes('handshake')));
}

/** Whether none of the servers that answer knows another one. */
export function areAlone({ nodes }: Pick<ClusterSnapshot, 'nodes'>): boolean {
  return nodes.every(({ view }) => view?.others.every(({ flags }) => flags.includes('handshake')) !== false);
}
