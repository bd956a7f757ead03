import { UserError, type UserErrorReason } from '../../model/errors.ts';
import { describeRef } from '../../model/clusterRef.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { isUnformed } from '../../model/unformed.ts';
import { isUnread, unreadError } from '../../model/unread.ts';

/** What a planner throws: whatever the reason, nothing has happened yet. */
export function refusal(reason: UserErrorReason, message: string): UserError {
  return new UserError(reason, `${message} Nothing was changed.`);
}

/**
 * Throws a UserError with the reasons of the reading where no server of the cluster was read: what it holds is not known
 * then, and nothing about it may be planned.
 */
export function refuseUnread(snapshot: ClusterSnapshot): void {
  if (isUnread(snapshot)) throw unreadError(snapshot);
}

/** A member by its id. Throws a UserError that names the members. */
export function memberOf(snapshot: ClusterSnapshot, id: string): RedisNode {
  const node = snapshot.nodes.find((candidate) => candidate.id === id);
  if (node !== undefined) return node;
  refuseUnread(snapshot);
  const there = snapshot.nodes.map((other) => `${other.id} (${nodeName(other)})`).join(', ');
  throw refusal('not-found', `${describeRef(snapshot.ref)} has no node "${id}". Its nodes: ${there}.`);
}

/** Throws a UserError where no cluster was formed yet: a repair would make one-node clusters of its servers. */
export function refuseUnformed(snapshot: ClusterSnapshot): void {
  if (!isUnformed(snapshot)) return;
  throw refusal(
    'invalid-input',
    `No cluster has been formed yet: ${snapshot.nodes.map(nodeName).join(', ')} own no hash slots. “Form Cluster…” forms a cluster of them.`,
  );
}

/** What people call a node that may not be a member any more. */
export function nameOf(snapshot: ClusterSnapshot, id: string): string {
  const node = snapshot.nodes.find((candidate) => candidate.id === id);
  return node === undefined ? id.slice(0, 8) : nodeName(node);
}

/** What people call the nodes of a cluster. */
export function namesIn(snapshot: ClusterSnapshot): (id: string) => string {
  return (id) => nameOf(snapshot, id);
}

export function replicasOf(snapshot: ClusterSnapshot, masterId: string): readonly RedisNode[] {
  return snapshot.nodes.filter((node) => node.role === 'replica' && node.masterId === masterId);
}

/** A replica that could take over now without losing what its master has passed on. */
export function isInTouch(node: RedisNode): boolean {
  return node.view?.replication.linkUp === true && !node.view.loading && node.pod?.deleting !== true;
}

export { answers, canElect, votersOf } from '../../model/answering.ts';

/** The nodes that say that slots of theirs are open. */
export function withOpenSlots({ nodes }: ClusterSnapshot): readonly RedisNode[] {
  return nodes.filter(
    ({ view }) => view !== undefined && view.self.migrating.length + view.self.importing.length > 0,
  );
}
