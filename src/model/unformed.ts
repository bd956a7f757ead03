import type { ClusterSnapshot } from './snapshot.ts';

/**
 * Whether these are servers that never formed a cluster, or all left theirs: each that answers is a master that knows no
 * other and owns no slots. Then there is nothing to repair, and slots and roles are for a person to give.
 */
export function isUnformed({ nodes }: ClusterSnapshot): boolean {
  return (
    nodes.length > 0 &&
    nodes.every(
      ({ view }) =>
        view !== undefined &&
        view.self.masterId === undefined &&
        view.self.slots.length === 0 &&
        view.others.every(({ flags }) => flags.includes('handshake')),
    )
  );
}
