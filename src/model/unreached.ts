import { answers } from './answering.ts';
import { formatAddress } from './clusterRef.ts';
import { isSeenByPeers } from './goneMembers.ts';
import type { ClusterSnapshot, RedisNode } from './snapshot.ts';

/** Whether nothing answers here at the address that a node announces, though other nodes are connected to it there. */
export function isUnreached(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  const { health, host, unreachable } = node;
  const isSilent = unreachable?.reason === 'unreachable' || unreachable?.reason === 'timeout';
  return (
    !answers(node) && health === 'unreachable' && host !== '' && isSilent && isSeenByPeers(snapshot, node.id)
  );
}

/** Announced addresses at which nothing answers here, as behind a NAT or port mapping. */
export function unreachedAddresses(snapshot: ClusterSnapshot): readonly string[] {
  return [...new Set(snapshot.nodes.filter((node) => isUnreached(snapshot, node)).map(formatAddress))];
}
