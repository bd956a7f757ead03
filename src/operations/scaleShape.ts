import { quantity } from '../model/quantity.ts';
import { describeRef } from '../model/clusterRef.ts';
import type { MoveOptions } from '../model/moves.ts';
import type { Plan } from './plans/plan.ts';
import type { Step } from './steps/index.ts';
import { mastersOf } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode, WorkloadFacts } from '../model/snapshot.ts';
import { countSlots } from '../model/slots.ts';
import { usualReplicas } from './addShard.ts';
import { movingAs } from './slots/moveOptions.ts';
import { answers, refusal, replicasOf } from './servers/nodes.ts';
import { fewestMasters } from './removeShard.ts';
import { spreadSteps } from './replicate.ts';
import type { ScaleRequest } from './scale.ts';
import { judgeMoves } from './slots/judgeMoves.ts';
import { dropPods, volumeTexts, type DropFacts } from './shape/dropPods.ts';
import { movesIn, podsJoin, readyStep, serversFor, settleNewcomers, waitingPods } from './shape/grow.ts';
import { refuseUnsound, scalable, type ShapeFacts } from './refusals/shaping.ts';

export interface ShapeRequest extends ScaleRequest, MoveOptions {
  /** Whether the volumes of pods that end are deleted too. */
  readonly volumes?: boolean;
}

interface Shape {
  readonly masters: number;
  /** Of all masters together. */
  readonly replicas: number;
}

/**
 * Whether a request is more than adding replicas: that is what the pods' agents do by themselves. The shape that is there
 * is more too where a scale that was stopped has left one master with all the new replicas.
 */
export function changesShape(snapshot: ClusterSnapshot, request: ScaleRequest): boolean {
  const now = shapeOf(snapshot);
  const wanted = wantedShape(snapshot, request, now);
  if (isSame(wanted, now)) return isUneven(snapshot);
  return wanted.masters !== now.masters || wanted.replicas < now.replicas;
}

function isSame(one: Shape, other: Shape): boolean {
  return one.masters === other.masters && one.replicas === other.replicas;
}

/** Whether a replica could move from one master to another so that their numbers come closer. */
function isUneven(snapshot: ClusterSnapshot): boolean {
  const counts = owners(snapshot).map(({ id }) => replicasOf(snapshot, id).length);
  return Math.max(...counts) - Math.min(...counts) > 1;
}

/**
 * Plans the way to another number of masters, or to fewer replicas. Throws a UserError where it cannot be gone now.
 */
export function planScaleShape(
  snapshot: ClusterSnapshot,
  request: ShapeRequest,
  facts: ShapeFacts & DropFacts,
): Plan {
  refuseUnsound(snapshot);
  const { workload } = scalable(snapshot, facts);
  const now = shapeOf(snapshot);
  const wanted = wantedShape(snapshot, request, now);
  if (wanted.masters < fewestMasters) {
    throw refusal(
      'unsafe',
      `A cluster needs ${fewestMasters} masters, so that replicas can be elected; ${wanted.masters} were requested.`,
    );
  }
  const { volumes = false } = request;
  const isGrowth = wanted.masters >= now.masters && wanted.replicas >= now.replicas;
  if (!isGrowth && (wanted.masters > now.masters || wanted.replicas > now.replicas)) {
    throw refusal(
      'invalid-input',
      `From ${shapeText(now)} to ${shapeText(wanted)} takes two steps: change the number of masters first, then the number of replicas.`,
    );
  }
  const common = {
    title: `Scale ${describeRef(snapshot.ref)} to ${shapeText(wanted)}`,
    ref: snapshot.ref,
    operation: 'scale',
    request,
    losses: [],
  };
  if (isSame(wanted, now)) {
    if (isUneven(snapshot)) return { ...common, ...spreadSteps(snapshot) };
    const where = describeRef(snapshot.ref);
    throw refusal('nothing-to-do', `${where} has ${shapeText(now)} already. There is nothing to do.`);
  }
  const dropped = now.masters + now.replicas - wanted.masters - wanted.replicas;
  const steps = isGrowth
    ? growTo(snapshot, workload, now, wanted)
    : dropPods(snapshot, workload, goingTo(snapshot, workload, now, wanted), volumes, facts);
  const said = isGrowth ? { warnings: [], losses: [] } : volumeTexts(volumes, facts, dropped);
  const warnings = [...judgeMoves(snapshot, movesIn(steps)), ...said.warnings];
  return movingAs({ ...common, steps, losses: said.losses, warnings }, request);
}

function shapeText({ masters, replicas }: Shape): string {
  return `${quantity(masters, 'master')} and ${quantity(replicas, 'replica')}`;
}

function owners(snapshot: ClusterSnapshot): readonly RedisNode[] {
  return mastersOf(snapshot).filter((node) => node.slots.length > 0);
}

function shapeOf(snapshot: ClusterSnapshot): Shape {
  const masters = owners(snapshot);
  const ids = new Set(masters.map(({ id }) => id));
  const replicas = snapshot.nodes.filter((node) => node.role === 'replica' && ids.has(node.masterId ?? ''));
  return { masters: masters.length, replicas: replicas.length };
}

function wantedShape(snapshot: ClusterSnapshot, request: ScaleRequest, now: Shape): Shape {
  const { pods, masters = now.masters, replicasPerMaster } = request;
  for (const value of [pods, masters, replicasPerMaster]) {
    if (value === undefined || (Number.isInteger(value) && value >= 0)) continue;
    throw refusal('invalid-input', `${value} is not a number of pods, masters or replicas.`);
  }
  if (pods !== undefined) {
    if (pods < now.masters) {
      throw refusal(
        'invalid-input',
        `${snapshot.name} has ${quantity(now.masters, 'master')}, more than ${quantity(pods, 'pod')}: enter the number of masters, too.`,
      );
    }
    if (request.masters === undefined && replicasPerMaster === undefined) {
      return { masters: now.masters, replicas: Math.max(0, pods - now.masters) };
    }
    throw refusal(
      'invalid-input',
      'Enter either the number of pods, or masters and replicas per master, not both.',
    );
  }
  return { masters, replicas: masters * (replicasPerMaster ?? usualReplicas(snapshot)) };
}

function growTo(
  snapshot: ClusterSnapshot,
  workload: WorkloadFacts,
  now: Shape,
  wanted: Shape,
): readonly Step[] {
  const shards = wanted.masters - now.masters;
  const replicas = Math.floor(wanted.replicas / wanted.masters);
  const growth = { shards, replicas, extra: Math.max(0, wanted.replicas - now.replicas - shards * replicas) };
  const { steps, newcomers, pods } = podsJoin(
    workload,
    waitingPods(snapshot, workload.name),
    serversFor(growth),
  );
  return [...steps, ...settleNewcomers(snapshot, newcomers, growth), readyStep(workload.name, pods)];
}

/** Whole shards that have most of their nodes in the pods that end, then replicas of those that have the most. */
function goingTo(
  snapshot: ClusterSnapshot,
  workload: WorkloadFacts,
  now: Shape,
  wanted: Shape,
): { readonly drained: readonly RedisNode[]; readonly spare: readonly RedisNode[] } {
  const silent = snapshot.nodes.filter((node) => !answers(node));
  if (silent.length > 0) {
    throw refusal(
      'unreachable',
      `${silent.map(({ id, pod }) => pod?.name ?? id).join(', ')} does not answer, but every node must know which nodes leave.`,
    );
  }
  const pods = workload.replicas - (now.masters + now.replicas - wanted.masters - wanted.replicas);
  const ends = (node: RedisNode): boolean => Number(node.pod?.name.slice(workload.name.length + 1)) >= pods;
  const shards = owners(snapshot).map((master) => [master, ...replicasOf(snapshot, master.id)]);
  const byEnds = [...shards].sort(
    (a, b) => b.filter(ends).length - a.filter(ends).length || size(a[0]) - size(b[0]),
  );
  const whole = byEnds.slice(0, now.masters - wanted.masters);
  const left = byEnds.slice(now.masters - wanted.masters).map(([, ...replicas]) => replicas);
  const spare: RedisNode[] = whole.flat();
  const going = now.masters + now.replicas - wanted.masters - wanted.replicas;
  if (going < spare.length) {
    throw refusal(
      'unsafe',
      'The shards to remove have more replicas than the others: spread the replicas first.',
    );
  }
  while (spare.length < going) {
    const [most] = left.sort((a, b) => b.length - a.length);
    const index = Math.max(0, most?.findIndex(ends) ?? 0);
    const [replica] = most?.splice(index, 1) ?? [];
    if (replica === undefined) throw refusal('invalid-input', 'There are not enough replicas to remove.');
    spare.push(replica);
  }
  return { drained: whole.flatMap(([master]) => master ?? []), spare };
}

function size(master: RedisNode | undefined): number {
  return countSlots(master?.slots ?? []);
}
