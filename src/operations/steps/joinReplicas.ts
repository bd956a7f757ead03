import { quantity } from '../../model/quantity.ts';
import { podsOf } from '../../model/endedPods.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { confirmPod } from '../statefulSets/confirmPod.ts';
import { isGrown, joinAndAwait, type JoinPorts, type Seen } from '../statefulSets/joinPods.ts';
import { answers, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { count, described, listOf, nodeId, objectName, yesOrNo } from './fields.ts';
import { kubernetesOf, type StepPorts } from './ports.ts';
import { always, losesNothing, noCommand, type StepData, type StepDefinition } from './step.ts';

const fields = {
  workload: objectName,
  pods: described(count, 'How many pods there are to be, each with a member of the cluster.'),
  joinsByItself: described(
    yesOrNo,
    'Whether agents in the pods let them join, as those of the bundled manifests do.',
  ),
  members: described(listOf(nodeId), 'The nodes that are members already.'),
  masters: described(listOf(nodeId), 'The masters that serve slots.'),
};

type JoinReplicas = StepData<'joinReplicas', typeof fields>;

/** Waits until the servers in a StatefulSet's new pods are replicas; joins those that do not join by themselves. */
export const joinReplicas: StepDefinition<'joinReplicas', typeof fields> = {
  kind: 'joinReplicas',
  description:
    'Waits for new pods of a StatefulSet, whose servers become replicas of the masters with the fewest.',
  fields,
  example: {
    workload: 'shop',
    pods: 8,
    joinsByItself: true,
    members: ['0000000000000000000000000000000000000000'],
    masters: ['0000000000000000000000000000000000000000'],
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: always,
  shownBy: 'snapshot',
  text: ({ pods, members }) =>
    `Wait until ${quantity(pods, 'pod')} are ready and ${quantity(Math.max(0, pods - members.length), 'new node')} joined as replicas of the masters with the fewest replicas`,
  ...losesNothing,
  command: noCommand,
  isDone: (step, snapshot, ports) => {
    const { namespace } = kubernetesOf(ports);
    const seen = seenIn(step, snapshot);
    const pods = podsOf(snapshot).filter(({ workload }) => workload === step.workload);
    return pods.every(({ ready }) => ready) && isGrown(growing(step, namespace), seen);
  },
  check: (_step, snapshot, ports) => {
    kubernetesOf(ports);
    introducer(snapshot);
  },
  act: async (step, ports) => {
    const { namespace } = kubernetesOf(ports);
    await joinAndAwait(growing(step, namespace), joinPorts(ports));
  },
};

function growing({ workload, pods, joinsByItself, members, masters }: JoinReplicas, namespace: string) {
  return { namespace, statefulSet: workload, pods, joinsByItself, members, masters };
}

function seenIn({ workload }: JoinReplicas, { nodes }: ClusterSnapshot): readonly Seen[] {
  return nodes.flatMap(({ pod, view }) =>
    pod?.workload === workload && view !== undefined ? [{ pod, view }] : [],
  );
}

/** A node that answers, and that can introduce new nodes. */
function introducer(snapshot: ClusterSnapshot): string {
  const member = snapshot.nodes.find(answers);
  if (member !== undefined) return member.id;
  throw refusal('unreachable', `No node of ${snapshot.name} answers.`);
}

function joinPorts(ports: StepPorts): JoinPorts {
  const { access, readNode, withNode } = kubernetesOf(ports);
  const { redis, snapshot, signal, report, now, delay } = ports;
  return {
    ...{ access, readNode, signal, report, now, delay },
    joinNode: async (pod, { id, busPort }) => {
      const { name, namespace, port, ip: host = '' } = pod;
      await withNode(namespace, name, port, () => confirmPod(access, pod), id);
      await withConnection(ports, introducer(snapshot), (one) => redis.meet(one, { host, port, busPort }));
    },
    replicate: ({ name, namespace, port }, nodeId, masterId) =>
      withNode(namespace, name, port, (node) => redis.replicate(node, masterId), nodeId),
  };
}
