import { UserError } from '../../model/errors.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, refusal, replicasOf } from '../nodes.ts';
import { forget } from './forget.ts';
import { kubernetesOf } from './ports.ts';
import { resetNode } from './resetNode.ts';
import type { StepRun } from './step.ts';

/** Lets a StatefulSet have more or fewer pods. Fewer only where those that end hold no member any more, or but a replica. */
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
    const ending = endingMembers(workload, pods, snapshot).filter((node) => !isSpare(snapshot, node));
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
    for (const { id, pod } of endingMembers(workload, pods, ports.snapshot)) {
      const leaving = { node: id, text: `${pod?.name ?? id} leaves the cluster again` };
      await resetNode.act({ kind: 'resetNode', ...leaving }, ports);
      await forget.act({ kind: 'forget', ...leaving }, ports);
    }
    await access.scale(namespace, workload, now, pods);
  },
};

function endingMembers(workload: string, pods: number, { nodes }: ClusterSnapshot): readonly RedisNode[] {
  return nodes.filter(({ pod }) => {
    const ordinal = pod?.workload === workload ? Number(pod.name.slice(workload.length + 1)) : -1;
    return ordinal >= pods;
  });
}

/** Where a run died after servers had left, their pods' agents made replicas of them again. */
function isSpare(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  return answers(node) && node.role === 'replica' && replicasOf(snapshot, node.id).length === 0;
}
