import { mastersOf } from './shards.ts';
import type { ClusterSnapshot, RedisNode } from './snapshot.ts';

/** A server that said so itself and can be talked to. */
export function answers(node: RedisNode | undefined): node is RedisNode & { view: object } {
  return node?.view !== undefined && node.health !== 'failed' && node.health !== 'unreachable';
}

/** Members that answer and that another one which answers does not list: some of them are not one cluster. */
export function unlistedNodes({ nodes }: ClusterSnapshot): readonly (RedisNode & { view: object })[] {
  const answering = nodes.filter((node) => answers(node));
  const known = answering.map(({ id, view }) => new Set([id, ...view.others.map((line) => line.id)]));
  return answering.filter(({ id }) => !known.every((ids) => ids.has(id)));
}

/** Masters with slots: those whose votes count when a replica asks to take over (specification, "Replica election"). */
export function votersOf(snapshot: ClusterSnapshot): {
  readonly all: readonly RedisNode[];
  readonly silent: readonly RedisNode[];
} {
  const all = mastersOf(snapshot).filter((node) => node.slots.length > 0);
  return { all, silent: all.filter((node) => !answers(node)) };
}

/**
 * Whether enough masters know the master of a replica: one that has forgotten it gives its replica no vote, since to that
 * one it is a replica of nobody.
 */
export function knowItsMaster(snapshot: ClusterSnapshot, { masterId }: Pick<RedisNode, 'masterId'>): boolean {
  const { all } = votersOf(snapshot);
  const knowing = all.filter(
    (voter) =>
      !answers(voter) || voter.view.others.some(({ id }) => id === masterId) || voter.id === masterId,
  );
  return knowing.length * 2 > all.length;
}

/** Whether enough masters answer to elect a replica. */
export function canElect(snapshot: ClusterSnapshot): boolean {
  const { all, silent } = votersOf(snapshot);
  return (all.length - silent.length) * 2 > all.length;
}
