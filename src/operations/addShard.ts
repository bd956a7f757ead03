import { quantity } from '../model/quantity.ts';
import { describeRef, isKubernetesRef } from '../model/clusterRef.ts';
import type { MoveOptions } from '../model/moves.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { mastersOf } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { movingAs } from './slots/moveOptions.ts';
import { namesIn, refusal, replicasOf } from './servers/nodes.ts';
import { judgeMoves } from './slots/judgeMoves.ts';
import {
  movesIn,
  podsJoin,
  readyStep,
  serversFor,
  settleNewcomers,
  waitingPods,
  type Growth,
  type Newcomer,
} from './shape/grow.ts';
import { refuseUnsound, scalable, type ShapeFacts } from './refusals/shaping.ts';

export interface AddShardRequest extends MoveOptions {
  /** Replicas of the new master; as many as most masters have where it is not said. Not for address clusters. */
  readonly replicas?: number;
  /** Address clusters: the empty servers, the future master first, the others its replicas. */
  readonly addresses?: readonly string[];
}

/** An empty server outside the cluster, as it says of itself. */
export interface NewServer {
  readonly address: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
  readonly keys: number;
  readonly slots: number;
  /** How many other nodes it knows. */
  readonly others: number;
}

export interface AddShardFacts extends ShapeFacts {
  readonly servers?: readonly NewServer[];
}

/** Throws a UserError where a shard cannot be added now; nothing was changed then. */
export function planAddShard(
  snapshot: ClusterSnapshot,
  request: AddShardRequest,
  facts: AddShardFacts,
): Plan {
  refuseUnsound(snapshot);
  const parts = isKubernetesRef(snapshot.ref)
    ? inPods(snapshot, request, facts)
    : atAddresses(snapshot, facts.servers ?? []);
  const plan = {
    title: `Add a shard to ${describeRef(snapshot.ref)}`,
    ref: snapshot.ref,
    operation: 'addShard',
    request,
    steps: parts,
    warnings: judgeMoves(snapshot, movesIn(parts)),
    losses: [],
  };
  return movingAs(plan, request);
}

function inPods(snapshot: ClusterSnapshot, request: AddShardRequest, facts: AddShardFacts): readonly Step[] {
  const { workload } = scalable(snapshot, facts);
  const growth: Growth = { shards: 1, replicas: request.replicas ?? usualReplicas(snapshot), extra: 0 };
  if (!Number.isInteger(growth.replicas) || growth.replicas < 0) {
    throw refusal('invalid-input', `${growth.replicas} is not a number of replicas.`);
  }
  const { steps, newcomers, pods } = podsJoin(
    workload,
    waitingPods(snapshot, workload.name),
    serversFor(growth),
  );
  return [...steps, ...settleNewcomers(snapshot, newcomers, growth), readyStep(workload.name, pods)];
}

/** What most masters have; of equals the smaller number. */
export function usualReplicas(snapshot: ClusterSnapshot): number {
  const numbers = mastersOf(snapshot)
    .filter((node) => node.slots.length > 0)
    .map((node) => replicasOf(snapshot, node.id).length);
  const often = Map.groupBy(numbers, (number) => number);
  const [usual] = [...often].sort(([a, as], [b, bs]) => bs.length - as.length || a - b);
  return usual?.[0] ?? 0;
}

function atAddresses(snapshot: ClusterSnapshot, servers: readonly NewServer[]): readonly Step[] {
  if (servers.length === 0) {
    throw refusal(
      'invalid-input',
      `${describeRef(snapshot.ref)} is not in Kubernetes. Start empty servers with cluster-enabled yes, then enter their addresses.`,
    );
  }
  refuseTwins(servers);
  for (const server of servers) refuseUsed(snapshot, server);
  const joins = servers.map(({ id, host, port, busPort }) =>
    makeStep('meet', { node: id, host, port, busPort }, namesIn(snapshot), 'joins as an empty master'),
  );
  const newcomers = servers.map(({ id, address }): Newcomer => ({ name: address, id }));
  const growth = { shards: 1, replicas: servers.length - 1, extra: 0 };
  return [...joins, ...settleNewcomers(snapshot, newcomers, growth)];
}

/** A server that is named by two addresses would become its own replica. */
function refuseTwins(servers: readonly NewServer[]): void {
  for (const [id, [first, second]] of Map.groupBy(servers, (server) => server.id)) {
    if (first === undefined || second === undefined) continue;
    throw refusal(
      'invalid-input',
      `${first.address} and ${second.address} lead to the same node ${id.slice(0, 8)}. Enter each server once; a server with a copy of another one’s nodes.conf needs one of its own.`,
    );
  }
}

/** Meeting a server that knows others would merge two clusters; one with keys would lose or hide them. */
function refuseUsed(snapshot: ClusterSnapshot, { address, id, keys, slots, others }: NewServer): void {
  const member = snapshot.nodes.find((node) => node.id === id);
  if (member !== undefined) {
    if (member.role === 'master' && member.slots.length === 0 && replicasOf(snapshot, id).length === 0)
      return;
    throw refusal(
      'invalid-input',
      `${address} is already a member that owns slots, has replicas or replicates a master.`,
    );
  }
  if (keys === 0 && slots === 0 && others === 0) return;
  throw refusal(
    'unsafe',
    `${address} is not empty: it holds ${quantity(keys, 'key')} and ${quantity(slots, 'slot')} and knows ${quantity(others, 'other node')}.`,
  );
}
