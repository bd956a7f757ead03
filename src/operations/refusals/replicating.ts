import { quantity } from '../../model/quantity.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, isInTouch, memberOf, refusal, replicasOf } from '../servers/nodes.ts';

/** Both ends, where the one may become the other's replica. Throws a UserError that says why not. */
export function replicable(
  snapshot: ClusterSnapshot,
  id: string,
  masterId: string,
): { readonly node: RedisNode; readonly master: RedisNode } {
  const node = memberOf(snapshot, id);
  const master = memberOf(snapshot, masterId);
  const name = nodeName(node);
  if (node === master) throw refusal('invalid-input', `${name} cannot replicate itself.`);
  if (!answers(node)) throw refusal('unreachable', `${name} does not answer.`);
  if (node.view.loading) throw refusal('unsafe', `${name} is still loading its data.`);
  if (master.role !== 'master') {
    throw refusal(
      'invalid-input',
      `${nodeName(master)} is a replica itself; only a master can have replicas.`,
    );
  }
  if (!answers(master)) throw refusal('unreachable', `Master ${nodeName(master)} does not answer.`);
  if (master.view.loading) throw refusal('unsafe', `Master ${nodeName(master)} is still loading its data.`);
  if (node.role === 'master') refuseOwner(snapshot, node);
  else refuseOnlyCopy(snapshot, node, masterId);
  return { node, master };
}

/** Redis itself refuses masters with slots or keys; one that others follow would leave these behind. */
function refuseOwner(snapshot: ClusterSnapshot, node: RedisNode): void {
  const name = nodeName(node);
  if (node.slots.length > 0) {
    throw refusal('unsafe', `${name} is a master with hash slots. Promote one of its replicas first.`);
  }
  if ((node.view?.keys ?? 0) > 0) {
    throw refusal(
      'unsafe',
      `${name} holds ${quantity(node.view?.keys ?? 0, 'key')}, which would be deleted if it became a replica.`,
    );
  }
  const followers = replicasOf(snapshot, node.id);
  if (followers.length > 0) {
    throw refusal('unsafe', `${followers.map(nodeName).join(', ')} replicate ${name}. Move them first.`);
  }
}

/** What a replica holds is dropped when it follows another master: it must not be all that is left of a shard. */
function refuseOnlyCopy(snapshot: ClusterSnapshot, node: RedisNode, target: string): void {
  if (node.masterId === target) return;
  const old = snapshot.nodes.find(({ id }) => id === node.masterId);
  if (answers(old)) return;
  const others = replicasOf(snapshot, node.masterId ?? '').filter(
    (other) => other !== node && answers(other) && isInTouch(other),
  );
  if (others.length > 0) return;
  throw refusal(
    'unsafe',
    `The master of ${nodeName(node)} does not answer, and no other replica of it is in sync: ${nodeName(node)} may hold the only copy of its shard. Promote it instead.`,
  );
}
