import { quantity } from '../model/quantity.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { describeRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { isAbort, StoppedError, UserError } from '../model/errors.ts';
import type { ShownPlan, ShownStep } from './plan.ts';
import { releaseText, type Release } from '../model/release.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import { checkRequest, type UpgradeRequest } from './upgrade/answers.ts';
import { changeSet } from './upgrade/changeSet.ts';
import { differenceOf, type Difference } from './upgrade/difference.ts';
import { readUpgradeFacts, type UpgradeFacts } from './upgrade/facts.ts';
import { pauseAgentsOf } from './upgrade/agentPauses.ts';
import type { UpgradePorts } from './upgrade/ports.ts';
import { onlyStatefulSet, refuseForeign, refuseSizes, refuseUnhealthy } from './upgrade/refusals.ts';
import { growVolumes } from './upgrade/growVolumes.ts';
import { rollPods } from './upgrade/rollPods.ts';
import { setLive } from './upgrade/setLive.ts';
import { judgeVersions, releaseOfImage } from './upgrade/versions.ts';
import { refuseSeveral } from './owner.ts';
import { refuseIncomplete } from './refuseIncomplete.ts';
import { requireRights, type Right } from './rights.ts';

export interface UpgradePlan extends ShownPlan {
  readonly ref: KubernetesClusterRef;
  /** What becomes different, in a few words. */
  readonly change: string;
  readonly statefulSet: string;
  readonly configMap: string | undefined;
  readonly port: number;
  /** Names of all pods there are. */
  readonly pods: readonly string[];
  /** Whether pods have volumes, so that their nodes come back as who they were. */
  readonly keepsFiles: boolean;
  readonly difference: Difference;
  /** Names of the pods that are to be restarted, in this order. */
  readonly restarts: readonly string[];
  /** Masters among them that nobody can take over from: their slots are not served while they restart. */
  readonly unattended: readonly string[];
  /** The image of before, with which one goes back. */
  readonly imageNow: string;
}

export interface Upgraded {
  /** Pods that were restarted, in this order. */
  readonly updatedPods: readonly string[];
  readonly seconds: number;
}

/** Reads what is there and plans. Changes nothing. */
export async function prepareUpgrade(
  access: KubernetesAccess,
  snapshot: ClusterSnapshot,
  request: UpgradeRequest,
): Promise<UpgradePlan> {
  await refuseSeveral(access, snapshot);
  const { ref, workload } = onlyStatefulSet(snapshot);
  const plan = planUpgrade(snapshot, await readUpgradeFacts(access, ref, workload.name), request);
  await requireRights(access, ref.namespace, rightsFor(request));
  return plan;
}

function rightsFor({ config, storage }: UpgradeRequest): readonly Right[] {
  return [
    ['patch', 'statefulsets', 'apps'],
    ['delete', 'pods', ''],
    ...(config === undefined ? [] : [['patch', 'configmaps', ''] as const]),
    ...(storage === undefined ? [] : [['patch', 'persistentvolumeclaims', ''] as const]),
  ];
}

/** Throws a UserError where the change cannot be made safely; nothing was changed then. */
export function planUpgrade(
  snapshot: ClusterSnapshot,
  facts: UpgradeFacts,
  request: UpgradeRequest,
): UpgradePlan {
  refuseIncomplete(snapshot);
  checkRequest(request);
  const { ref, workload } = onlyStatefulSet(snapshot);
  refuseForeign(workload, facts, request);
  refuseSizes(snapshot, workload.bundled, facts, request);
  refuseUnhealthy(snapshot);
  const { set } = facts;
  const { container: server, port } = serverOf(snapshot);
  const difference = differenceOf(facts, request, server);
  const restarts = podsToRestart(facts, difference);
  const imageNow = set.containers.find(({ name }) => name === server)?.image ?? '';
  const versions = judgeImage(snapshot, request.image ?? imageNow, restarts.length > 0);
  const unattended = mastersAlone(snapshot, restarts);
  const keepsFiles = set.claimTemplates.length > 0;
  const steps = stepsOf(snapshot, facts, difference, restarts);
  const change = subjects(difference, restarts.length);
  if (steps.length === 0) {
    throw new UserError(
      'nothing-to-do',
      `${describeRef(ref)} already has all of these values. Nothing was changed.`,
    );
  }
  const isRestart = request.restartedAt !== undefined;
  return {
    title: isRestart
      ? `Restart ${quantity(restarts.length, 'pod')} of ${describeRef(ref)}`
      : `Upgrade ${describeRef(ref)}: ${change}`,
    change,
    ref,
    operation: isRestart ? 'rollingRestart' : 'upgrade',
    request,
    statefulSet: set.name,
    configMap: set.configMap,
    port,
    pods: facts.pods.map((pod) => pod.name),
    keepsFiles,
    unattended,
    difference,
    restarts,
    imageNow,
    steps,
    warnings: [...versions, ...warningsFor(facts, difference, restarts)],
    losses: lossesFor(difference, unattended, keepsFiles),
  };
}

function serverOf(snapshot: ClusterSnapshot): Pick<PodFacts, 'container' | 'port'> {
  const pod = snapshot.nodes.find((node) => node.pod !== undefined)?.pod ?? snapshot.loosePods[0];
  if (pod !== undefined) return pod;
  throw new UserError('not-found', `No pod of ${describeRef(snapshot.ref)} was found. Nothing was changed.`);
}

/** From the highest ordinal down, as a StatefulSet renews its pods; those that are new already are left out. */
function podsToRestart({ set, pods }: UpgradeFacts, { template }: Difference): readonly string[] {
  return pods
    .filter((pod) => template !== undefined || pod.revision !== set.revision)
    .map((pod) => pod.name)
    .reverse();
}

function subjects({ image, memory, live, atStart, storage }: Difference, restarts: number): string {
  const settings = Object.keys({ ...live, ...atStart });
  const parts = [
    image === undefined ? '' : `${image.from} to ${image.to}`,
    memory === undefined ? '' : `memory ${memory.from === undefined ? '' : `${memory.from} to `}${memory.to}`,
    storage === undefined ? '' : `volumes of ${storage}`,
    settings.length === 0 ? '' : settings.join(', '),
  ].filter((part) => part !== '');
  return parts.length === 0 ? `continue with ${quantity(restarts, 'pod')}` : parts.join('; ');
}

function judgeImage(snapshot: ClusterSnapshot, image: string, restarts: boolean): readonly string[] {
  if (!restarts) return [];
  const releases = new Map<string, Release>();
  for (const { view } of snapshot.nodes) {
    if (view === undefined || view.version === '') continue;
    const release = { product: view.product, version: view.version };
    releases.set(releaseText(release), release);
  }
  const running = [...releases.values()];
  const target = releaseOfImage(image);
  if (target === undefined) {
    return [
      `The image ${image} does not name its version, so whether it can read the data of ${[...releases.keys()].join(', ')} is only known once the first pod runs it. Use a tag such as redis:8.6.3.`,
    ];
  }
  const { warnings, isOneWay } = judgeVersions(running, target);
  if (!isOneWay) return warnings;
  return [
    ...warnings,
    `There is no way back: what ${releaseText(target)} writes cannot be read by ${[...releases.keys()].join(', ')}. Until the first master has been upgraded, going back means empty volumes for the pods already upgraded; after that, it means a new cluster. Take a backup first.`,
  ];
}

function stepsOf(
  snapshot: ClusterSnapshot,
  { set }: UpgradeFacts,
  { template, live, redisConf, storage }: Difference,
  restarts: readonly string[],
): readonly ShownStep[] {
  const steps: ShownStep[] = Object.entries(live).map(([name, value]) => ({
    destroys: false,
    text: `Set ${name} to ${value === '' ? '""' : value} on every running server`,
  }));
  if (redisConf !== undefined) {
    steps.push({
      destroys: false,
      text: `Write it to redis.conf in ConfigMap ${set.configMap ?? ''}`,
    });
  }
  if (storage !== undefined) {
    const text = `Grow every volume to ${storage}, and recreate StatefulSet ${set.name} around its running pods so that new pods get the same size`;
    steps.push({ destroys: false, text });
  }
  if (template !== undefined) {
    const text = `Change the pods of StatefulSet ${set.name}, with partition ${set.replicas}, which restarts no pod`;
    steps.push({ destroys: false, text });
  }
  const masters = new Set(mastersOf(snapshot).map(nodeName));
  for (const pod of restarts) {
    const text = masters.has(pod)
      ? `Fail over ${pod} to a replica, restart it, wait until it is in sync`
      : `Restart ${pod}, wait until it is in sync`;
    steps.push({ destroys: false, text });
  }
  if (restarts.length > 0 || set.partition > 0) {
    steps.push({ destroys: false, text: `Set the partition of StatefulSet ${set.name} back to 0` });
  }
  return steps;
}

function warningsFor(
  { set, pods, growing }: UpgradeFacts,
  { template, storage, image, redisConf }: Difference,
  restarts: readonly string[],
): readonly string[] {
  const warnings: string[] = [];
  if (template === undefined && restarts.length > 0 && restarts.length < pods.length) {
    warnings.push(`An earlier upgrade was not finished (partition ${set.partition}); this one resumes it.`);
  }
  if (storage !== undefined && growing === undefined) {
    warnings.push('Whether the StorageClass lets volumes grow could not be checked.');
  }
  if (image !== undefined || redisConf !== undefined) {
    warnings.push('Applying files with the old values again (kubectl apply) reverts this change.');
  }
  return warnings;
}

/** A replica out of touch counts: it may be restarting, and the run waits for it, or ends, before its master goes. */
function mastersAlone(snapshot: ClusterSnapshot, restarts: readonly string[]): readonly string[] {
  return mastersOf(snapshot)
    .filter((master) => master.slots.length > 0 && restarts.includes(nodeName(master)))
    .filter((master) => !snapshot.nodes.some((node) => node.masterId === master.id))
    .map(nodeName);
}

function lossesFor(
  { live }: Difference,
  unattended: readonly string[],
  keepsFiles: boolean,
): readonly string[] {
  const losses: string[] = [];
  if (unattended.length > 0) {
    const [has, are] = unattended.length === 1 ? ['has', 'is'] : ['have', 'are'];
    losses.push(
      keepsFiles
        ? `${unattended.join(', ')} ${has} no replica to take over, so the slots are not served while the pod restarts.`
        : `All keys of ${unattended.join(', ')} are lost: ${has === 'has' ? 'it' : 'they'} ${has} neither volume nor replica and ${are} restarted.`,
    );
  }
  if (live['appendonly'] === 'no') {
    losses.push(
      'With appendonly set to no, a server that restarts loses its keys unless a replica has them.',
    );
  }
  return losses;
}

/** Runs the plan. Whatever stops it leaves a cluster that serves, and the error says how far it came. */
export async function runUpgrade(plan: UpgradePlan, ports: UpgradePorts): Promise<Upgraded> {
  const started = ports.now();
  const updated: string[] = [];
  const { ref, statefulSet, difference, keepsFiles } = plan;
  const place = { namespace: ref.namespace, statefulSet, port: plan.port };
  const pauses = pauseAgentsOf(place, ports);
  try {
    // A pod without a volume comes back empty, and its agent has to join it.
    if (keepsFiles) await Promise.all(plan.pods.map((pod) => pauses.add(pod)));
    await setLive(place, plan.configMap, difference, ports);
    if (difference.storage !== undefined) await growVolumes(place, difference.storage, ports);
    if (difference.template !== undefined) {
      await changeSet(place, { template: difference.template, partition: 'all' }, ports);
    }
    if (plan.restarts.length > 0) {
      await rollPods(place, ports, keepsFiles ? pauses : undefined, plan.unattended, (pod) => {
        updated.push(pod);
      });
    }
    await changeSet(place, { partition: 0 }, ports);
    return { updatedPods: updated, seconds: (ports.now() - started) / 1000 };
  } catch (error) {
    throw leftAsItIs(plan, updated, error);
  } finally {
    pauses.release();
  }
}

function leftAsItIs(plan: UpgradePlan, updated: readonly string[], error: unknown): unknown {
  const { ref, restarts, difference, imageNow } = plan;
  const left = restarts.filter((pod) => !updated.includes(pod));
  const done = updated.length === 0 ? 'No pod was restarted' : `Restarted: ${updated.join(', ')}`;
  const rest =
    left.length === 0
      ? ''
      : `; not restarted: ${left.join(', ')} (the StatefulSet’s partition keeps them unchanged)`;
  const back =
    difference.image === undefined
      ? ''
      : ` To go back, upgrade to ${imageNow}, which first checks what the new version has written.`;
  const text = `${done}${rest}. Run it again with the same answers to resume.${back}`;
  const isRestart = plan.operation === 'rollingRestart';
  if (isAbort(error)) {
    const what = isRestart ? 'Restarting' : 'Upgrading';
    return Object.assign(new Error(`${what} ${ref.name} was cancelled. ${text}`), { name: 'AbortError' });
  }
  if (!(error instanceof UserError)) return error;
  const how = `${isRestart ? 'restarted' : 'upgraded'}${updated.length === 0 ? '' : ' completely'}`;
  return new StoppedError(error.reason, `${ref.name} was not ${how}. ${error.message} ${text}`, {
    changed: updated.length > 0,
    reached: { updatedPods: updated },
    cause: error,
  });
}
