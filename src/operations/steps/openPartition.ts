import { UserError } from '../../model/errors.ts';
import { changeSet } from '../statefulSets/changeSet.ts';
import { readPods, readSet } from '../statefulSets/facts.ts';
import { objectName } from './fields.ts';
import { kubernetesOf } from './ports.ts';
import { losesNothing, never, type StepDefinition } from './step.ts';

const fields = { workload: objectName };

/** Lets Kubernetes look after all pods of a StatefulSet again, once every one of them is renewed. */
export const openPartition: StepDefinition<'openPartition', typeof fields> = {
  kind: 'openPartition',
  description: 'Sets the partition of a StatefulSet back to 0, once every pod is renewed.',
  fields,
  example: { workload: 'shop' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ workload }) => `Set the partition of StatefulSet ${workload} back to 0`,
  ...losesNothing,
  command: ({ workload }, shell) => {
    const patch = { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } };
    return [shell.kubectl('patch', `statefulset/${workload}`, '--patch', JSON.stringify(patch))];
  },
  isDone: async ({ workload }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    return (await readSet(access, namespace, workload)).partition === 0;
  },
  check: async ({ workload }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const { revision } = await readSet(access, namespace, workload);
    const old = (await readPods(access, namespace, workload)).find((pod) => pod.revision !== revision);
    if (old === undefined) return;
    throw new UserError(
      'unsafe',
      `${old.name} has not been renewed: with the partition at 0, Kubernetes would restart it without a failover. Nothing was changed.`,
    );
  },
  act: async ({ workload }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    await changeSet({ namespace, statefulSet: workload }, { partition: 0 }, { ...ports, access });
  },
};
