import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { slotCount } from '../../model/slots.ts';
import type { PodFacts } from '../../model/snapshot.ts';
import { askNodes } from '../manifests/askNodes.ts';
import { isFinished, withState } from '../manifests/preflight.ts';
import { waitForPods, type Look } from '../statefulSets/waitForPods.ts';
import { amount, count, described, imageName, objectName, optional, yesOrNo } from './fields.ts';
import { kubernetesOf, manifestsOf, type StepPorts } from './ports.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

const fields = {
  workload: objectName,
  pods: count,
  image: imageName,
  storage: optional(amount),
  masters: count,
  adopts: described(yesOrNo, 'Whether volumes of an earlier cluster bring its roles with them.'),
};

type AwaitCluster = StepData<'awaitCluster', typeof fields>;

/** Waits until the pods of a new cluster are ready and every node reports that all slots are covered. */
export const awaitCluster: StepDefinition<'awaitCluster', typeof fields> = {
  kind: 'awaitCluster',
  description: 'Waits until every node of a new cluster reports all slots as covered.',
  fields,
  example: { workload: 'shop', pods: 6, image: 'redis:8.6.3', masters: 3, adopts: false },
  // It marks the StatefulSet as deployed, which is applied as it was made of the answers.
  isSaved: false,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ pods, image, storage }) =>
    `Wait until ${quantity(pods, 'pod')} of ${image}${storage === undefined ? '' : ` on volumes of ${storage}`} are ready and every node reports all 16,384 slots as covered`,
  ...losesNothing,
  command: ({ workload }, shell) => [shell.kubectl('rollout', 'status', `statefulset/${workload}`)],
  isDone: async (step, _snapshot, ports) => isFinished(await setOf(step, ports)),
  check: async (step, _snapshot, ports) => {
    if ((await setOf(step, ports)) !== undefined) return;
    throw new UserError('not-found', `StatefulSet ${step.workload} was deleted by someone else.`);
  },
  act: async (step, ports) => {
    const { access, namespace, readNode } = kubernetesOf(ports);
    const uid = (await setOf(step, ports))?.metadata.uid;
    const awaited = { namespace, statefulSet: step.workload, uid, pods: step.pods };
    const nodes = askNodes(readNode, ports.now);
    await waitForPods({ ...ports, access }, awaited, (pods, wake) =>
      lookAtCluster(step, pods, nodes.views(pods, wake)),
    );
    for (const one of manifestsOf(ports)) {
      if (one.kind === 'StatefulSet') await access.apply(withState(one, 'deployed'), ports.signal);
    }
  },
};

function setOf({ workload }: AwaitCluster, ports: StepPorts) {
  const { access, namespace } = kubernetesOf(ports);
  return access.get('apps/v1', 'StatefulSet', namespace, workload);
}

function lookAtCluster(step: AwaitCluster, pods: readonly PodFacts[], views: readonly NodeView[]): Look {
  const total = step.pods;
  const scheduled = pods.filter((pod) => pod.worker !== undefined).length;
  const ready = pods.filter((pod) => pod.ready).length;
  const joined = views.filter((view) => view.others.length > 0).length;
  const slots = Math.max(0, ...views.map((view) => view.slotsAssigned));
  const progress = {
    text: `scheduled ${scheduled}/${total}, ready ${ready}/${total}, joined ${joined}/${total}, slots ${slots}/${slotCount}`,
    done: ready,
    total,
    unit: 'pods',
  };
  return { done: ready === total && isWhole(step, views), progress };
}

/**
 * Every node says that all slots are covered, knows all others and where they are (clients are sent nowhere otherwise),
 * and as many are replicas as were requested. An earlier cluster has the roles that it had.
 */
function isWhole({ masters, adopts, pods }: AwaitCluster, views: readonly NodeView[]): boolean {
  const replicas = views.filter((view) => view.replication.role === 'replica');
  return (
    views.length === pods &&
    views.every(
      (view) =>
        view.clusterState === 'ok' &&
        view.slotsAssigned === slotCount &&
        view.others.length === pods - 1 &&
        view.others.every(({ host }) => host !== ''),
    ) &&
    (adopts || replicas.length === pods - masters) &&
    replicas.every((view) => view.replication.linkUp === true)
  );
}
