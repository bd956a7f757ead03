import { bytesText } from '../../model/bytes.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, nameOf, replicasOf } from '../servers/nodes.ts';

/** What is gone when a replica takes its master's place without it, one sentence each. */
export function lossesFor(snapshot: ClusterSnapshot, node: RedisNode): readonly string[] {
  const name = nodeName(node);
  const master = nameOf(snapshot, node.masterId ?? '');
  const losses = [
    `Writes that ${master} accepted but had not yet replicated to ${name} are lost.`,
    ...newerCopies(snapshot, node),
  ];
  if (node.view?.keys === 0) losses.push(`${name} holds no keys: all keys of this shard are lost.`);
  const old = snapshot.nodes.find(({ id }) => id === node.masterId);
  if (answers(old))
    losses.push(`${master} answers: writes that it accepts until it steps down are lost as well.`);
  return losses;
}

function newerCopies(snapshot: ClusterSnapshot, node: RedisNode): readonly string[] {
  return replicasOf(snapshot, node.masterId ?? '')
    .filter((other) => answers(other) && offsetOf(other) > offsetOf(node))
    .map(
      (other) =>
        `${bytesText(offsetOf(other) - offsetOf(node))} of writes are lost that ${nodeName(other)} has and ${nodeName(node)} does not: promote that replica instead.`,
    );
}

/** How much of its master's stream a replica has, in bytes. */
export function offsetOf({ view }: RedisNode): number {
  return view?.replication.offset ?? 0;
}
