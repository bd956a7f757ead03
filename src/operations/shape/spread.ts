import { mastersOf } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers } from '../servers/nodes.ts';

/** One replica that shall follow another master. */
export interface Move {
  readonly node: RedisNode;
  readonly master: RedisNode;
}

/** As the pods' agents weigh it: even numbers first, then a copy away from the master, then copies away from each other. */
const unevenCost = 10_000;
const togetherCost = 100;

/**
 * Which replicas have to move so that every master has as many as the others and, where workers are known, a shard's
 * copies run on different ones. Improves what there is step by step, so few replicas move: each of them is a full copy.
 */
export function spreadReplicas(snapshot: ClusterSnapshot): readonly Move[] {
  const masters = mastersOf(snapshot).filter((node) => node.slots.length > 0 && answers(node));
  const ids = new Set(masters.map(({ id }) => id));
  const replicas = snapshot.nodes.filter(
    (node) => node.role === 'replica' && answers(node) && ids.has(node.masterId ?? ''),
  );
  const place = new Map(replicas.map((node) => [node, masters.find(({ id }) => id === node.masterId)]));
  const cost = (master: RedisNode): number =>
    shardCost(
      master,
      replicas.filter((node) => place.get(node) === master),
    );
  for (let left = replicas.length * masters.length; left > 0; left--) {
    if (!improve(replicas, masters, place, cost)) break;
  }
  return replicas.flatMap((node) => {
    const master = place.get(node);
    return master === undefined || master.id === node.masterId ? [] : [{ node, master }];
  });
}

type Place = Map<RedisNode, RedisNode | undefined>;

/** Makes the one move that helps most, or else the exchange of two replicas that does. */
function improve(
  replicas: readonly RedisNode[],
  masters: readonly RedisNode[],
  place: Place,
  cost: (master: RedisNode) => number,
): boolean {
  let best = { gain: 0, apply: (): void => undefined };
  const consider = (a: RedisNode | undefined, b: RedisNode | undefined, change: Place): void => {
    if (a === undefined || b === undefined || a === b) return;
    const before = cost(a) + cost(b);
    const old = new Map([...change.keys()].map((node) => [node, place.get(node)]));
    const set = (to: Place): void => {
      for (const [node, master] of to) place.set(node, master);
    };
    set(change);
    const gain = before - cost(a) - cost(b);
    set(old);
    if (gain > best.gain) {
      best = {
        gain,
        apply: () => {
          set(change);
        },
      };
    }
  };
  for (const node of replicas) {
    for (const master of masters) consider(place.get(node), master, new Map([[node, master]]));
  }
  if (best.gain === 0) {
    for (const [index, one] of replicas.entries()) {
      for (const other of replicas.slice(index + 1)) {
        const [a, b] = [place.get(one), place.get(other)];
        consider(a, b, new Map([...([[one, b]] as const), ...([[other, a]] as const)]));
      }
    }
  }
  best.apply();
  return best.gain > 0;
}

function shardCost(master: RedisNode, replicas: readonly RedisNode[]): number {
  const workerOf = (node: RedisNode): string | undefined => node.pod?.worker;
  const same = (a: RedisNode, b: RedisNode): boolean =>
    workerOf(a) !== undefined && workerOf(a) === workerOf(b);
  let cost = unevenCost * replicas.length * replicas.length;
  if (replicas.length > 0 && replicas.every((node) => same(node, master))) cost += togetherCost;
  for (const [index, node] of replicas.entries()) {
    if (same(node, master)) cost++;
    cost += replicas.slice(0, index).filter((other) => same(node, other)).length;
  }
  return cost;
}
