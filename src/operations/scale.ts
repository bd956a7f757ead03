import { quantity } from '../model/quantity.ts';
import { describeRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { mastersOf } from '../model/shards.ts';
import type { ClusterSnapshot, WorkloadFacts } from '../model/snapshot.ts';
import { refusal } from './servers/nodes.ts';
import { onlyStatefulSet, refuseUnhealthy } from './refusals/changingPods.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { makeStep } from './steps/index.ts';

/** What a person asks for; either the number of pods, or the number of replicas of each master. */
export interface ScaleRequest {
  readonly pods?: number;
  readonly masters?: number;
  readonly replicasPerMaster?: number;
}

const mostNodes = 1000;

/**
 * Plans more replicas: a request for which `changesShape` is false, which also refuses what is no number.
 * Throws a UserError where the change cannot be made safely; nothing was changed then.
 */
export function planScale(snapshot: ClusterSnapshot, request: ScaleRequest): Plan {
  refuseIncomplete(snapshot);
  const { ref, workload } = onlyStatefulSet(snapshot, 'Scale');
  const masters = mastersOf(snapshot).filter((node) => node.slots.length > 0);
  const from = workload.replicas;
  const to = wantedPods(request, masters.length);
  checkTarget(snapshot, workload, to);
  refuseUnhealthy(snapshot);
  const { name, bundled } = workload;
  const grow = makeStep('setReplicas', { workload: name, from, pods: to }, String);
  const join = makeStep(
    'joinReplicas',
    {
      ...{ workload: name, pods: to, joinsByItself: bundled },
      members: snapshot.nodes.map(({ id }) => id),
      masters: masters.map(({ id }) => id),
    },
    String,
  );
  return {
    title: `Scale ${describeRef(ref)} from ${from} to ${quantity(to, 'pod')}`,
    ref,
    operation: 'scale',
    request,
    steps: [...(from === to ? [] : [grow]), join],
    warnings: [],
    losses: [],
  };
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
