import { UserError } from '../../model/errors.ts';
import type { StepOf } from '../../model/plan.ts';
import type { ClusterSnapshot, PodFacts } from '../../model/snapshot.ts';
import { waitForPods as wait } from '../deploy/waitForPods.ts';
import { kubernetesOf } from './ports.ts';
import type { StepRun } from './step.ts';

/** Waits until a StatefulSet has just as many pods as it is to have, all of them ready. */
export const waitForPods: StepRun<'waitForPods'> = {
  isDone: ({ workload, pods }, snapshot) => isReached(podsIn(snapshot, workload), pods),
  check: (_step, _snapshot, ports) => {
    kubernetesOf(ports);
  },
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const statefulSet = step.workload ?? onlyWorkload(step, ports.snapshot);
    const awaited = { namespace, statefulSet, uid: undefined, pods: step.pods };
    await wait({ ...ports, access }, awaited, (pods) => {
      const ready = pods.filter((pod) => pod.ready && !pod.deleting).length;
      const progress = {
        text: `ready ${ready}/${step.pods}, pods ${pods.length}`,
        done: ready,
        total: step.pods,
        unit: 'pods',
      };
      return { done: isReached(pods, step.pods), progress };
    });
  },
};

function isReached(pods: readonly PodFacts[], wanted: number): boolean {
  return pods.length === wanted && pods.every(({ ready, deleting }) => ready && !deleting);
}

function podsIn({ nodes, loosePods }: ClusterSnapshot, workload: string | undefined): readonly PodFacts[] {
  const all = [...nodes.flatMap(({ pod }) => pod ?? []), ...loosePods];
  return workload === undefined ? all : all.filter((pod) => pod.workload === workload);
}

function onlyWorkload({ text }: StepOf<'waitForPods'>, { workloads }: ClusterSnapshot): string {
  const [first] = workloads;
  if (first !== undefined) return first.name;
  throw new UserError('not-found', `"${text}": the StatefulSet no longer exists.`);
}
