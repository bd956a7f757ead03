import { canBeDeclaredFailed, isSeenByPeers, isWithoutAddress } from '../../model/goneMembers.ts';
import { uncoveredSlots } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers } from '../servers/nodes.ts';
import { proofOfDeath, signOfLife } from '../failover/death.ts';

/**
 * Whether a silent node does not come back with what it held: its peers have declared it failed, or they cannot, and
 * Kubernetes or a person says that it is dead and nothing contradicts that.
 * @param dead ids of nodes that a person says are dead
 */
export function isLost(snapshot: ClusterSnapshot, node: RedisNode, dead: readonly string[]): boolean {
  if (node.health === 'failed') return true;
  if (dead.includes(node.id)) return isWithoutSign(snapshot, node);
  return staysUndeclared(snapshot, node) && isProvenGone(snapshot, node);
}

/** Kubernetes' word that the node's pod is gone; a container that has merely ended may be started again with its data. */
function isProvenGone(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  return node.pod === undefined && proofOfDeath(snapshot, node) !== undefined;
}

function isWithoutSign(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  return !isSeenByPeers(snapshot, node.id) && signOfLife(snapshot, node) === undefined;
}

/** Nodes that are listed and were not found, as members that do not answer. */
export function unknownMembers({ unknownNodes }: ClusterSnapshot): readonly RedisNode[] {
  return unknownNodes
    .filter(({ flags }) => !flags.includes('handshake'))
    .map(({ id, host, port, busPort, masterId, slots, configEpoch, flags }) => ({
      id,
      host,
      port,
      busPort,
      slots,
      configEpoch,
      ...(masterId === undefined ? { role: 'master' } : { role: 'replica', masterId }),
      health: flags.includes('fail') && !flags.includes('noaddr') ? 'failed' : 'unreachable',
    }));
}

/** Whether a silent node may serve slots that nobody claims, or may have taken over those of its silent master. */
export function mayOwnSlots(snapshot: ClusterSnapshot, { masterId }: RedisNode): boolean {
  if (uncoveredSlots(snapshot).length > 0) return true;
  return masterId !== undefined && !answers(snapshot.nodes.find(({ id }) => id === masterId));
}

/**
 * Silent nodes that may hold slots which no master serves, and of which only a person can say that they are dead: their
 * peers never will. By node id.
 */
export function presumedLost(snapshot: ClusterSnapshot): readonly string[] {
  return [...snapshot.nodes, ...unknownMembers(snapshot)]
    .filter((node) => node.slots.length > 0 || mayOwnSlots(snapshot, node))
    .filter((node) => staysUndeclared(snapshot, node) && !isProvenGone(snapshot, node))
    .map(({ id }) => id);
}

/** Whether waiting does not help: it gives no sign of life, and too few masters could declare it failed. */
export function staysUndeclared(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  if (answers(node) || node.health === 'failed') return false;
  return !canBeDeclaredFailed(snapshot, node.id) && isWithoutSign(snapshot, node);
}

/** Why nobody can declare a node failed and what to do, as the end of a sentence and the sentences after it. */
export function undeclaredText(snapshot: ClusterSnapshot, id: string): string {
  const why = isWithoutAddress(snapshot, id)
    ? 'the nodes that list it have lost its address, so it may run where other nodes cannot find it. If it runs, “Heal Cluster…” makes it known again once its address is added.'
    : 'it does not answer, and too few masters answer to declare it failed. If it runs, make it reachable.';
  return `${why} If you know that it is dead, “Fix Uncovered Slots…” asks you to confirm it; a call of the command names it: "dead": ["${id}"].`;
}
