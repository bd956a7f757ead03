import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import { readPods, readSet } from '../statefulSets/facts.ts';
import { refuseManaged } from '../refusals/upgrading.ts';
import { renewPod } from '../rollout/renewPod.ts';
import { described, matching, nodeId, objectName, optional, port, uid, yesOrNo } from './fields.ts';
import { kubernetesOf, rolloutPorts, type StepPorts } from './ports.ts';
import { never, type StepData, type StepDefinition } from './step.ts';

const fields = {
  workload: objectName,
  pod: objectName,
  uid: described(uid, 'The pod when the plan was made: another one of its name may be new already.'),
  port,
  revision: described(
    matching(/^[a-z0-9.-]{0,253}$/, 'the name of a revision'),
    'The revision that pods were to have when the plan was made.',
  ),
  node: optional(nodeId, 'The node in the pod; absent where it did not answer.'),
  isMaster: described(yesOrNo, 'Whether it is a master, and a replica takes over first.'),
  isUnattended: described(yesOrNo, 'Whether its slots may go unserved, since it has no replica.'),
  keepsFiles: described(yesOrNo, 'Whether the pod has a volume, so that its node comes back as who it was.'),
};

type RestartPod = StepData<'restartPod', typeof fields>;

/** Restarts one pod of a StatefulSet while the cluster is well, a master only after a replica has taken over. */
export const restartPod: StepDefinition<'restartPod', typeof fields> = {
  kind: 'restartPod',
  description:
    'Restarts a pod of a StatefulSet with what its template says now, and waits until it is in sync.',
  fields,
  example: {
    ...{ workload: 'shop', pod: 'shop-5', uid: '0b5e6a2c-0000-0000-0000-000000000000', port: 6379 },
    ...{ revision: 'shop-7d9c4', isMaster: false, isUnattended: false, keepsFiles: true },
  },
  isSaved: true,
  mayBeUndone: false,
  // A pod without a volume comes back empty, and its agent has to join it.
  needsAgents: ({ keepsFiles }) => !keepsFiles,
  shownBy: 'snapshot',
  text: ({ pod, isMaster, isUnattended }) =>
    isMaster && !isUnattended
      ? `Fail over ${pod} to a replica, restart it, wait until it is in sync`
      : `Restart ${pod}, wait until it is in sync`,
  loss: ({ pod, isUnattended, keepsFiles }) => {
    if (!isUnattended) return undefined;
    return keepsFiles
      ? `${pod} has no replica to take over, so its slots are not served while the pod restarts.`
      : `All keys of ${pod} are lost: it has neither volume nor replica and is restarted.`;
  },
  destroys: never,
  command: ({ pod, node, isMaster, isUnattended }, shell) => [
    ...(isMaster && !isUnattended && node !== undefined
      ? [`# Have a replica of ${node} take over: CLUSTER FAILOVER on it.`]
      : []),
    shell.kubectl('delete', 'pod', pod),
  ],
  isDone: isRenewed,
  check: async (step, snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    refuseManaged(await readSet(access, namespace, step.workload));
    refuseOther(step, snapshot);
  },
  act: async (step, ports) => {
    const { namespace } = kubernetesOf(ports);
    const place = { namespace, statefulSet: step.workload, port: step.port };
    if (await renewPod(place, step, rolloutPorts(ports))) ports.tally({ restarted: step.pod });
  },
};

/** What was restarted is another pod; one of before is new only where the template was changed back to what it has. */
async function isRenewed(step: RestartPod, _snapshot: ClusterSnapshot, ports: StepPorts): Promise<boolean> {
  const { access, namespace } = kubernetesOf(ports);
  const [{ revision }, pods] = await Promise.all([
    readSet(access, namespace, step.workload),
    readPods(access, namespace, step.workload),
  ]);
  const pod = pods.find(({ name }) => name === step.pod);
  if (pod === undefined || revision === undefined || !pod.ready || pod.deleting) return false;
  return pod.revision === revision && (pod.uid !== step.uid || revision !== step.revision);
}

function refuseOther({ pod, node, keepsFiles }: RestartPod, { nodes }: ClusterSnapshot): void {
  if (node === undefined || !keepsFiles) return;
  const own = nodes.find((one) => one.pod?.name === pod);
  if (own === undefined || own.id === node) return;
  throw refusal('unsafe', `The server in ${pod} is now node ${own.id}, not ${node}.`);
}
