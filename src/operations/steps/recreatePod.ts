import { neverStarted, readMembers, type Member } from '../rollout/members.ts';
import { objectName, port, uid } from './fields.ts';
import { kubernetesOf, rolloutPorts, type StepPorts } from './ports.ts';
import { always, never, noLoss, type StepData, type StepDefinition } from './step.ts';

const fields = { workload: objectName, pod: objectName, uid, port };

type RecreatePod = StepData<'recreatePod', typeof fields>;

/**
 * Deletes a pod that never became ready, so that Kubernetes tries it again at once: as it was before, where its turn to
 * be renewed is taken back. Left alone it keeps all others waiting, and is tried ever more seldom.
 */
export const recreatePod: StepDefinition<'recreatePod', typeof fields> = {
  kind: 'recreatePod',
  description: 'Deletes a pod that never became ready, so that it is tried again at once.',
  fields,
  example: { workload: 'shop', pod: 'shop-5', uid: '0b5e6a2c-0000-0000-0000-000000000000', port: 6379 },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ pod, uid }) => `Recreate pod ${pod} (uid ${uid}), which never became ready`,
  loss: noLoss,
  destroys: always,
  command: ({ pod }, shell) => [shell.kubectl('delete', 'pod', pod)],
  isDone: async (step, _snapshot, ports) => {
    const member = await memberIn(step, ports);
    return member?.pod.uid !== step.uid || !neverStarted(member);
  },
  check: (_step, _snapshot, ports) => {
    kubernetesOf(ports);
  },
  act: async ({ pod, uid }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    ports.report({ text: `deleting ${pod}` });
    await access.delete('v1', 'Pod', namespace, pod, ports.signal, { uid });
  },
};

async function memberIn({ workload, pod, port }: RecreatePod, ports: StepPorts): Promise<Member | undefined> {
  const { namespace } = kubernetesOf(ports);
  const members = await readMembers({ namespace, statefulSet: workload, port }, rolloutPorts(ports));
  return members.find((one) => one.pod.name === pod);
}
