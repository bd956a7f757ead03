import { UserError } from '../../model/errors.ts';
import { nodeName } from '../../model/shards.ts';
import { refusal } from '../nodes.ts';
import { kubernetesOf } from './ports.ts';
import type { StepRun } from './step.ts';

/** Lets a StatefulSet have more or fewer pods. Fewer only where those that end hold no member any more. */
export const setReplicas: StepRun<'setReplicas'> = {
  isDone: ({ workload, pods }, { workloads }) =>
    workloads.find(({ name }) => name === workload)?.replicas === pods,
  check: ({ workload, from, pods }, snapshot) => {
    const found = snapshot.workloads.find(({ name }) => name === workload);
    if (found === undefined) throw refusal('not-found', `StatefulSet ${workload} is not there any more.`);
    if (from !== undefined && found.replicas !== from) {
      throw refusal(
        'unsafe',
        `StatefulSet ${workload} has ${found.replicas} replicas by now, not ${from}: somebody else scales it.`,
      );
    }
    const ending = snapshot.nodes.filter(({ pod }) => {
      const ordinal = pod?.workload === workload ? Number(pod.name.slice(workload.length + 1)) : -1;
      return ordinal >= pods;
    });
    if (ending.length > 0) {
      throw refusal(
        'unsafe',
        `${ending.map(nodeName).join(', ')} would end, and ${ending.length === 1 ? 'is' : 'are'} still in the cluster.`,
      );
    }
  },
  act: async ({ workload, from, pods }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const now = from ?? ports.snapshot.workloads.find(({ name }) => name === workload)?.replicas;
    if (now === undefined) throw new UserError('not-found', `StatefulSet ${workload} is not there any more.`);
    await access.scale(namespace, workload, now, pods);
  },
};
