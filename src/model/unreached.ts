import { formatAddress } from './clusterRef.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/**
 * Announced addresses at which nothing answers here, though the nodes that answer do not call the node failed: as behind a
 * NAT or port mapping. None where no node answers at all, which has other reasons.
 */
export function unreachedAddresses({ nodes }: Pick<ClusterSnapshot, 'nodes'>): readonly string[] {
  if (nodes.every(({ view }) => view === undefined)) return [];
  const unreached = nodes.filter(
    ({ view, health, host, unreachable }) =>
      view === undefined &&
      health === 'unreachable' &&
      host !== '' &&
      (unreachable?.reason === 'unreachable' || unreachable?.reason === 'timeout'),
  );
  return [...new Set(unreached.map(formatAddress))];
}
