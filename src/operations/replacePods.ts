import { describeRef, isKubernetesRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type StepOf } from './steps/index.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import { refusal } from './servers/nodes.ts';
import { hasEnded, podsOf } from '../model/endedPods.ts';

export interface ReplacePodsRequest {
  /** One pod by its name; all that have ended if absent. */
  readonly pod?: string;
}

/**
 * Plans to delete pods that have ended and that nobody replaces, such as after a node was shut down, so that their owner
 * creates them again. Volumes stay. Throws a UserError where a pod runs, or nothing would create it again.
 */
export function planReplacePods(snapshot: ClusterSnapshot, request: ReplacePodsRequest): Plan {
  const { ref } = snapshot;
  if (!isKubernetesRef(ref)) {
    throw refusal('invalid-input', `${describeRef(ref)} is not in Kubernetes, so it has no pods.`);
  }
  const pods =
    request.pod === undefined ? podsOf(snapshot).filter(hasEnded) : [podNamed(snapshot, request.pod)];
  if (pods.length === 0) throw refusal('nothing-to-do', `No pod of ${describeRef(ref)} has terminated.`);
  for (const pod of pods) refuseUnowned(snapshot, pod);
  const names = pods.map(({ name }) => name).join(', ');
  return {
    title: `Replace ${names} of ${describeRef(ref)}`,
    ref,
    operation: 'replacePod',
    request,
    steps: pods.map((pod) => stepFor(snapshot, pod)),
    warnings: pods.flatMap(({ name, ended, worker = 'its Kubernetes node' }) =>
      ended === true
        ? []
        : [
            `Kubernetes does not report that the container of ${name} has terminated. Make sure that ${worker} is down: two servers on one volume damage its data.`,
          ],
    ),
    losses: [],
  };
}

function podNamed(snapshot: ClusterSnapshot, name: string): PodFacts {
  const pods = podsOf(snapshot);
  const pod = pods.find((one) => one.name === name);
  if (pod === undefined) {
    throw refusal(
      'not-found',
      `${describeRef(snapshot.ref)} has no pod ${name}. Its pods: ${pods.map((one) => one.name).join(', ')}.`,
    );
  }
  if (hasEnded(pod)) return pod;
  if (pod.deleting) throw refusal('invalid-input', `Pod ${name} is already being deleted.`);
  throw refusal(
    'unsafe',
    `Pod ${name} has not terminated (phase ${pod.phase}): only a pod that will not run again can be replaced.`,
  );
}

function ownerKind({ workloads }: ClusterSnapshot, { workload }: PodFacts): string | undefined {
  return workloads.find(({ name }) => name === workload)?.kind;
}

function refuseUnowned(snapshot: ClusterSnapshot, pod: PodFacts): void {
  const kind = ownerKind(snapshot, pod);
  if (kind !== undefined && kind !== 'Pod') return;
  throw refusal(
    'unsafe',
    `Pod ${pod.name} has no owner, so it would not be created again after it is deleted.`,
  );
}

function stepFor(snapshot: ClusterSnapshot, pod: PodFacts): StepOf<'replacePod'> {
  const node = snapshot.nodes.find((one) => one.pod?.uid === pod.uid);
  const isRecreated = ownerKind(snapshot, pod) === 'StatefulSet';
  const why = pod.reason === undefined ? pod.phase : `${pod.phase}, ${pod.reason}`;
  const then = isRecreated
    ? `StatefulSet ${pod.workload} creates it again with its volume`
    : `its owner ${pod.workload} has replaced it or creates another`;
  const replaced = {
    pod: pod.name,
    uid: pod.uid,
    isRecreated,
    ...(node === undefined ? {} : { node: node.id }),
  };
  return makeStep('replacePod', replaced, String, `${why}; ${then}`);
}
