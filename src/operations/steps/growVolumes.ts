import { areGrown, growVolumes as grow, lostSet } from '../statefulSets/growVolumes.ts';
import { readSet } from '../statefulSets/facts.ts';
import { refuseManaged } from '../refusals/upgrading.ts';
import { amount, objectName, port } from './fields.ts';
import { kubernetesOf, rolloutPorts } from './ports.ts';
import { losesNothing, never, noCommand, type StepDefinition } from './step.ts';

const fields = {
  workload: objectName,
  storage: amount,
  port,
};

/** Lets every volume of a StatefulSet grow, and makes its template say so. */
export const growVolumes: StepDefinition<'growVolumes', typeof fields> = {
  kind: 'growVolumes',
  description: 'Grows every volume of a StatefulSet, which is recreated around its running pods.',
  fields,
  example: { workload: 'shop', storage: '2Gi', port: 6379 },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ workload, storage }) =>
    `Grow every volume to ${storage}, and recreate StatefulSet ${workload} around its running pods so that new pods get the same size`,
  ...losesNothing,
  command: noCommand,
  isDone: ({ workload, storage }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    return areGrown(access, namespace, workload, storage);
  },
  check: async ({ workload }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    // What an earlier run has deleted is created again, whoever it belonged to.
    if ((await lostSet(access, namespace, workload)) !== undefined) return;
    refuseManaged(await readSet(access, namespace, workload));
  },
  act: async ({ workload, storage, port }, ports) => {
    const { namespace } = kubernetesOf(ports);
    await grow({ namespace, statefulSet: workload, port }, storage, rolloutPorts(ports));
  },
};
