import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot, PodFacts } from '../../model/snapshot.ts';
import { waitForPods as wait } from '../statefulSets/waitForPods.ts';
import { kubernetesOf } from './ports.ts';
import { count, objectName } from './fields.ts';
import { losesNothing, never, type StepDefinition } from './step.ts';

const fields = { workload: objectName, pods: count };

/** Waits until a StatefulSet has just as many pods as it is to have, all of them ready. */
export const waitForPods: StepDefinition<'waitForPods', typeof fields> = {
  kind: 'waitForPods',
  description: 'Waits until a StatefulSet has so many pods, all of them ready.',
  fields,
  example: { workload: 'shop', pods: 8 },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ workload, pods }) =>
    `Wait until StatefulSet ${workload} has ${quantity(pods, 'pod')}, all of them ready`,
  ...losesNothing,
  command: ({ workload }, shell) => [shell.kubectl('rollout', 'status', `statefulset/${workload}`)],
  isDone: ({ workload, pods }, snapshot) => isReached(podsIn(snapshot, workload), pods),
  check: (_step, _snapshot, ports) => {
    kubernetesOf(ports);
  },
  act: async (step, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const awaited = { namespace, statefulSet: step.workload, uid: undefined, pods: step.pods };
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

function podsIn({ nodes, loosePods }: ClusterSnapshot, workload: string): readonly PodFacts[] {
  return [...nodes.flatMap(({ pod }) => pod ?? []), ...loosePods].filter((pod) => pod.workload === workload);
}
