import { quantity } from '../model/quantity.ts';
import { check, isSound } from '../checks/check.ts';
import { describeRef, isKubernetesRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { isAbort, StoppedError, UserError } from '../model/errors.ts';
import type { ShownPlan } from './plan.ts';
import { mastersOf } from '../model/shards.ts';
import type { ClusterSnapshot, WorkloadFacts } from '../model/snapshot.ts';
import { joinAndAwait, type JoinPorts } from './deploy/joinPods.ts';
import { refuseIncomplete } from './refuseIncomplete.ts';

/** What a person asks for; either the number of pods, or the number of replicas of each master. */
export interface ScaleRequest {
  readonly pods?: number;
  readonly masters?: number;
  readonly replicasPerMaster?: number;
}

export interface ScalePlan extends ShownPlan {
  readonly ref: KubernetesClusterRef;
  readonly workload: string;
  readonly from: number;
  readonly to: number;
  /** The manifests' agents join new pods by themselves; pods of other manifests may have to be joined. */
  readonly joinsByItself: boolean;
  /** Ids of the nodes that are members now. */
  readonly members: readonly string[];
  /** Ids of the masters that serve slots. */
  readonly masters: readonly string[];
}

export interface Scaled {
  readonly pods: number;
  readonly masters: number;
  readonly replicas: number;
}

const mostNodes = 1000;

/**
 * Plans more replicas: a request for which `changesShape` is false, which also refuses what is no number.
 * Throws a UserError where the change cannot be made safely; nothing was changed then.
 */
export function planScale(snapshot: ClusterSnapshot, request: ScaleRequest): ScalePlan {
  refuseIncomplete(snapshot);
  const { ref } = snapshot;
  if (!isKubernetesRef(ref)) {
    throw refusal(
      'invalid-input',
      `${describeRef(ref)} is not in Kubernetes: start more servers there, and join them with “Add Shard…”.`,
    );
  }
  const workload = onlyStatefulSet(ref, snapshot.workloads);
  const masters = mastersOf(snapshot).filter((node) => node.slots.length > 0);
  const from = workload.replicas;
  const to = wantedPods(request, masters.length);
  checkTarget(snapshot, workload, to);
  refuseUnhealthy(snapshot);
  const joining = to - from + snapshot.loosePods.length;
  return {
    title: `Scale ${describeRef(ref)} from ${from} to ${quantity(to, 'pod')}`,
    ref,
    operation: 'scale',
    request,
    workload: workload.name,
    from,
    to,
    joinsByItself: workload.bundled,
    members: snapshot.nodes.map((node) => node.id),
    masters: masters.map((node) => node.id),
    steps: [
      {
        destroys: false,
        text: `Set the replicas of StatefulSet ${workload.name} to ${to}`,
      },
      { destroys: false, text: `Wait for ${quantity(to, 'pod')} to be ready` },
      {
        destroys: false,
        text: `${joining} new nodes join as replicas of the masters with the fewest replicas`,
      },
    ],
    warnings: [],
    losses: [],
  };
}

function refusal(reason: UserError['reason'], message: string): UserError {
  return new UserError(reason, `${message} Nothing was changed.`);
}

function onlyStatefulSet(ref: KubernetesClusterRef, workloads: readonly WorkloadFacts[]): WorkloadFacts {
  const [first, ...others] = workloads;
  if (first === undefined) throw refusal('not-found', `${describeRef(ref)} has no StatefulSet to scale.`);
  if (others.length > 0) {
    const names = workloads.map((one) => one.name).join(', ');
    throw refusal(
      'unsafe',
      `${describeRef(ref)} runs in several workloads (${names}). Scale it with the tool that created them.`,
    );
  }
  if (first.kind !== 'StatefulSet') {
    throw refusal('unsafe', `${describeRef(ref)} runs in "${first.name}", which is not a StatefulSet.`);
  }
  return first;
}

function wantedPods({ pods, replicasPerMaster }: ScaleRequest, masters: number): number {
  if (pods !== undefined) return pods;
  if (replicasPerMaster === undefined) {
    throw refusal('invalid-input', 'Give the number of pods, or of replicas per master.');
  }
  return masters * (1 + replicasPerMaster);
}

function checkTarget(snapshot: ClusterSnapshot, workload: WorkloadFacts, to: number): void {
  const where = describeRef(snapshot.ref);
  if (to < workload.replicas) {
    throw refusal(
      'unsafe',
      `${where} has ${quantity(workload.replicas, 'pod')}; scaling down to ${to} is refused until the shards are drained: lowering a StatefulSet’s replicas loses data.`,
    );
  }
  if (to > mostNodes)
    throw refusal('invalid-input', `A Redis Cluster has at most ${mostNodes} nodes; ${to} were requested.`);
  if (to === workload.replicas && snapshot.loosePods.length === 0) {
    throw refusal('nothing-to-do', `${where} has ${quantity(to, 'pod')} already. There is nothing to do.`);
  }
}

function refuseUnhealthy(snapshot: ClusterSnapshot): void {
  const findings = check(snapshot);
  if (isSound(findings)) return;
  const worst = findings.filter((one) => one.severity === 'error' || one.rule === 'open-slots');
  throw refusal(
    'unsafe',
    `${describeRef(snapshot.ref)} is unhealthy, so no nodes can be added: ${worst.map((one) => one.message).join(' ')} Fix this first; “Check Cluster” says how.`,
  );
}

/** Raises the replicas, waits for the pods and until their nodes are replicas in touch with their masters. */
export async function runScale(plan: ScalePlan, ports: JoinPorts): Promise<Scaled> {
  const { ref, workload, from, to } = plan;
  let isScaled = false;
  try {
    ports.signal.throwIfAborted();
    if (from !== to) await ports.access.scale(ref.namespace, workload, from, to);
    isScaled = from !== to;
    const { joinsByItself, members, masters } = plan;
    const growing = {
      namespace: ref.namespace,
      statefulSet: workload,
      pods: to,
      joinsByItself,
      members,
      masters,
    };
    const views = await joinAndAwait(growing, ports);
    const replicas = views.filter((view) => view.replication.role === 'replica').length;
    return { pods: to, masters: views.length - replicas, replicas };
  } catch (error) {
    throw leftAsItIs(plan, error, isScaled);
  }
}

function leftAsItIs({ ref, workload, to }: ScalePlan, error: unknown, isScaled: boolean): unknown {
  const left = `StatefulSet ${workload} is left as it is (context ${ref.context}, namespace ${ref.namespace}): lowering its replicas could lose data. Scale to ${quantity(to, 'pod')} again to resume.`;
  if (isAbort(error)) {
    return Object.assign(new Error(`Scaling ${ref.name} was cancelled. ${left}`), { name: 'AbortError' });
  }
  if (!(error instanceof UserError)) return error;
  const message = `${ref.name} was not scaled to ${quantity(to, 'pod')}. ${error.message} ${left}`;
  if (!isScaled) return new UserError(error.reason, message, { cause: error });
  return new StoppedError(error.reason, message, { changed: true, cause: error });
}
