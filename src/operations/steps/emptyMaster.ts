import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { ClusterSnapshot, PodFacts, RedisNode } from '../../model/snapshot.ts';
import { confirmPod } from '../statefulSets/confirmPod.ts';
import { waitForPods, type Look } from '../statefulSets/waitForPods.ts';
import { needIntroduction, announcedAddressOf } from '../repair/introductions.ts';
import { answers } from '../servers/nodes.ts';
import { kubernetesOf, type KubernetesPorts, type StepPorts } from './ports.ts';
import { withConnection } from '../servers/withConnection.ts';
import { listOf, objectName } from './fields.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds after which a pod that is not known to all is introduced again. */
const repeatAfter = 3_000;

const fields = { pods: listOf(objectName) };

type EmptyMaster = StepData<'emptyMaster', typeof fields>;

/** Brings the servers of new pods into the cluster, each as a master without slots, before their agents choose roles. */
export const emptyMaster: StepDefinition<'emptyMaster', typeof fields> = {
  kind: 'emptyMaster',
  description: 'Makes empty masters of pods that have just joined.',
  fields,
  example: { pods: ['shop-6'] },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ pods }) => `Join as empty masters, while the pods’ agents pause: ${pods.join(', ')}`,
  ...losesNothing,
  command: noCommand,
  isDone: ({ pods }, snapshot) => settled(pods, snapshot).length === pods.length,
  check: (_step, snapshot, ports) => {
    kubernetesOf(ports);
    if (!snapshot.nodes.some(answers)) {
      throw new UserError(
        'unreachable',
        `No node of ${snapshot.name} answers, so new nodes cannot be introduced.`,
      );
    }
  },
  act: async (step, ports) => {
    const kubernetes = kubernetesOf(ports);
    const workload = workloadOf(step, ports.snapshot);
    const introduceAll = createIntroducer(step, kubernetes, ports);
    await waitForPods(
      { ...ports, access: kubernetes.access },
      {
        namespace: kubernetes.namespace,
        statefulSet: workload,
        uid: undefined,
        pods: ports.snapshot.nodes.length,
      },
      async (pods): Promise<Look> => {
        const those = pods.filter(({ name, ip, phase, deleting }) => {
          return step.pods.includes(name) && ip !== undefined && phase === 'Running' && !deleting;
        });
        const answering = await introduceAll(those);
        const snapshot = await ports.readSnapshot();
        const joined = settled(step.pods, snapshot).length;
        const total = step.pods.length;
        const text = `servers running ${answering}/${total}, empty masters ${joined}/${total}`;
        return { done: joined === total, progress: { text, done: joined, total, unit: 'pods' } };
      },
    );
  },
};

function workloadOf({ pods }: EmptyMaster, { workloads }: ClusterSnapshot): string {
  const found = workloads.find(({ name }) => pods.every((pod) => pod.startsWith(`${name}-`)));
  if (found !== undefined) return found.name;
  throw new UserError('not-found', `The StatefulSet of ${pods.join(', ')} no longer exists.`);
}

/** Those known to all, with the cluster's state ok, that are masters; or replicas of one of them, where a run goes on. */
function settled(pods: readonly string[], snapshot: ClusterSnapshot): readonly string[] {
  return pods.filter((name) => {
    const node = snapshot.nodes.find(({ pod }) => pod?.name === name);
    if (!answers(node) || node.view.clusterState !== 'ok') return false;
    const master = snapshot.nodes.find(({ id }) => id === node.masterId);
    const hasRole = node.role === 'master' || pods.includes(master?.pod?.name ?? '');
    return hasRole && needIntroduction(snapshot, announcedAddressOf(snapshot, node)).length === 0;
  });
}

/** Introduces new servers once their agents pause; resolves to how many answer. */
function createIntroducer(
  step: EmptyMaster,
  kubernetes: KubernetesPorts,
  ports: StepPorts,
): (pods: readonly PodFacts[]) => Promise<number> {
  const held = new Set<string>();
  const introducedAt = new Map<string, number>();
  const members = ports.snapshot.nodes.filter(
    (node) => answers(node) && !step.pods.includes(node.pod?.name ?? ''),
  );
  const introducePod = async (pod: PodFacts): Promise<boolean> => {
    const { name, namespace, port } = pod;
    try {
      if (!held.has(pod.uid)) {
        ports.keepPaused(await kubernetes.pauseAgent(namespace, name, port));
        held.add(pod.uid);
      }
      const view = await kubernetes.readNode(namespace, name, port);
      const last = introducedAt.get(pod.uid);
      if (last !== undefined && ports.now() - last < repeatAfter) return true;
      introducedAt.set(pod.uid, ports.now());
      // What was read of the pod's name is of this very pod, and so its address is the server's.
      await confirmPod(kubernetes.access, pod);
      await admit(pod, view, members, kubernetes, ports);
      return true;
    } catch (error) {
      if (error instanceof UserError && error.reason === 'unsafe') throw error;
      return false;
    }
  };
  return async (pods) => (await Promise.all(pods.map(introducePod))).filter(Boolean).length;
}

async function admit(
  { name, namespace, ip = '', port }: PodFacts,
  view: NodeView,
  members: readonly RedisNode[],
  { withNode }: KubernetesPorts,
  { dialer, redis }: StepPorts,
): Promise<void> {
  if (view.replication.role === 'replica' && members.some(({ id }) => id === view.self.masterId)) {
    // Its agent was faster. The keys are a copy, and its id stays, so that nobody has to forget it.
    await withNode(namespace, name, port, (node) => redis.leaveCluster(node, 'SOFT'), view.self.id);
  } else if (view.replication.role === 'master' && (view.keys > 0 || view.self.slots.length > 0)) {
    throw new UserError(
      'unsafe',
      `The server in pod ${name} is not empty: it holds ${quantity(view.keys, 'key')}. It was not changed. Find out where its volume comes from.`,
    );
  }
  const known = new Set(view.others.filter(({ flags }) => !flags.includes('handshake')).map(({ id }) => id));
  const unknownMembers = members.filter(({ id }) => !known.has(id));
  const introducers = unknownMembers.length === 0 ? members.slice(0, 1) : unknownMembers;
  await Promise.all(
    introducers.map(({ id }) =>
      withConnection({ dialer }, id, (connection) =>
        redis.meet(connection, { host: ip, port, busPort: view.self.busPort }),
      ),
    ),
  );
}
