import { quantity } from '../../model/quantity.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import { forget } from './forget.ts';
import { kubernetesOf } from './ports.ts';
import { refuseReset, resetNode } from './resetNode.ts';
import { count, described, objectName } from './fields.ts';
import { never, noLoss, type StepDefinition } from './step.ts';

const fields = {
  workload: objectName,
  from: described(count, 'The replicas when the plan was made; refused where there are others.'),
  pods: count,
};

/** Lets a StatefulSet have more or fewer pods. Fewer only where those that end hold no member that anybody needs. */
export const setReplicas: StepDefinition<'setReplicas', typeof fields> = {
  kind: 'setReplicas',
  description: 'Sets the replicas of a StatefulSet.',
  fields,
  example: { workload: 'shop', from: 6, pods: 8 },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  ifStopped: ({ workload, from, pods }) =>
    pods > from
      ? `StatefulSet ${workload} stays as it is: lowering its replicas could lose data.`
      : undefined,
  text: ({ workload, from, pods }) => `Set the replicas of StatefulSet ${workload} from ${from} to ${pods}`,
  loss: noLoss,
  destroys: ({ from, pods }) => pods < from,
  command: ({ workload, pods }, shell) => [
    shell.kubectl('scale', `statefulset/${workload}`, `--replicas=${pods}`),
  ],
  isDone: ({ workload, pods }, { workloads }) =>
    workloads.find(({ name }) => name === workload)?.replicas === pods,
  check: ({ workload, from, pods }, snapshot) => {
    const found = snapshot.workloads.find(({ name }) => name === workload);
    if (found === undefined) throw refusal('not-found', `StatefulSet ${workload} no longer exists.`);
    if (found.replicas !== from) {
      throw refusal(
        'unsafe',
        `StatefulSet ${workload} has ${quantity(found.replicas, 'replica')} now, not ${from}: someone else is scaling it.`,
      );
    }
    // Where a run died after servers had left, their pods' agents made replicas of them again, or were about to.
    for (const node of endingMembers(workload, pods, snapshot)) {
      try {
        refuseReset(snapshot, node);
      } catch (error) {
        const text = `${nodeName(node)} would be removed, but is still in the cluster. ${messageOf(error)}`;
        throw new UserError('unsafe', text, { cause: error });
      }
    }
  },
  act: async ({ workload, from, pods }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    for (const { id, pod } of endingMembers(workload, pods, ports.snapshot)) {
      const leaving = { node: id, text: `${pod?.name ?? id} leaves the cluster again` };
      await resetNode.act({ kind: 'resetNode', ...leaving }, ports);
      await forget.act({ kind: 'forget', ...leaving }, ports);
    }
    await access.scale(namespace, workload, from, pods);
  },
};

function endingMembers(workload: string, pods: number, { nodes }: ClusterSnapshot): readonly RedisNode[] {
  return nodes.filter(({ pod }) => {
    const ordinal = pod?.workload === workload ? Number(pod.name.slice(workload.length + 1)) : -1;
    return ordinal >= pods;
  });
}
