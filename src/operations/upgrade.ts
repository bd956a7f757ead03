import { check } from '../checks/check.ts';
import { quantity } from '../model/quantity.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { describeRef } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import { answers, namesIn, refusal } from './servers/nodes.ts';
import type { Plan } from './plans/plan.ts';
import { lossesOf, makeStep, type Step } from './steps/index.ts';
import { releaseText, type Release } from '../model/release.ts';
import { mastersOf, nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import { checkRequest, type UpgradeRequest } from './rollout/answers.ts';
import { differenceOf, type Difference } from './rollout/difference.ts';
import { readUpgradeFacts, type SetPod, type UpgradeFacts } from './statefulSets/facts.ts';
import { onlyStatefulSet, refuseUnhealthy } from './refusals/changingPods.ts';
import { refuseForeign, refuseSizes } from './refusals/upgrading.ts';
import { judgeVersions, releaseOfImage } from './rollout/versions.ts';
import { refuseSeveral } from './statefulSets/owner.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { requireRights, type Right } from './statefulSets/rights.ts';

export interface UpgradePlan extends Plan {
  /** What becomes different, in a few words. */
  readonly change: string;
}

/** Reads what is there and plans. Changes nothing. */
export async function prepareUpgrade(
  access: KubernetesAccess,
  snapshot: ClusterSnapshot,
  request: UpgradeRequest,
): Promise<UpgradePlan> {
  await refuseSeveral(access, snapshot);
  const { ref, workload } = onlyStatefulSet(snapshot, 'Upgrade');
  const plan = planUpgrade(snapshot, await readUpgradeFacts(access, ref, workload.name), request);
  await requireRights(access, ref.namespace, rightsFor(request));
  return plan;
}

/** A StatefulSet that could be deleted but not created again would be the worst of all. */
const growRights: readonly Right[] = [
  ['patch', 'persistentvolumeclaims', ''],
  ['create', 'configmaps', ''],
  ['delete', 'configmaps', ''],
  ['create', 'statefulsets', 'apps'],
  ['delete', 'statefulsets', 'apps'],
];

function rightsFor({ config, storage }: UpgradeRequest): readonly Right[] {
  return [
    ['patch', 'statefulsets', 'apps'],
    ['delete', 'pods', ''],
    ...((config ?? storage) === undefined ? [] : [['patch', 'configmaps', ''] as const]),
    ...(storage === undefined ? [] : growRights),
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
  const { ref, workload } = onlyStatefulSet(snapshot, 'Upgrade');
  refuseForeign(workload, facts, request);
  refuseSizes(snapshot, workload.bundled, facts, request);
  // Nodes that do not agree are waited for when it runs: after any change they differ for about a second.
  refuseUnhealthy(
    snapshot,
    check(snapshot).filter(({ rule }) => rule !== 'agreement'),
  );
  const { set } = facts;
  const { container: server } = serverOf(snapshot);
  const difference = differenceOf(facts, request, server);
  const restarts = podsToRestart(facts, difference);
  const imageNow = set.containers.find(({ name }) => name === server)?.image ?? '';
  const versions = judgeImage(snapshot, request.image ?? imageNow, restarts.length > 0);
  const steps = stepsOf(snapshot, facts, difference, restarts);
  const change = subjects(difference, restarts.length);
  if (steps.length === 0)
    throw refusal('nothing-to-do', `${describeRef(ref)} already has all of these values.`);
  const isRestart = request.restartedAt !== undefined;
  return {
    title: isRestart
      ? `Restart ${quantity(restarts.length, 'pod')} of ${describeRef(ref)}`
      : `Upgrade ${describeRef(ref)}: ${change}`,
    change,
    ref,
    operation: isRestart ? 'rollingRestart' : 'upgrade',
    request,
    steps,
    warnings: [...versions, ...warningsFor(facts, difference, restarts)],
    losses: lossesOf(steps, namesIn(snapshot)),
  };
}

function serverOf(snapshot: ClusterSnapshot): Pick<PodFacts, 'container' | 'port'> {
  const pod = snapshot.nodes.find((node) => node.pod !== undefined)?.pod ?? snapshot.loosePods[0];
  if (pod !== undefined) return pod;
  throw new UserError('not-found', `No pod of ${describeRef(snapshot.ref)} was found. Nothing was changed.`);
}

/** From the highest ordinal down, as a StatefulSet renews its pods; those that are new already are left out. */
function podsToRestart({ set, pods }: UpgradeFacts, { template }: Difference): readonly SetPod[] {
  return pods.filter((pod) => template !== undefined || pod.revision !== set.revision).reverse();
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
  facts: UpgradeFacts,
  { template, live, atStart, redisConf, storage }: Difference,
  restarts: readonly SetPod[],
): readonly Step[] {
  const { set } = facts;
  const workload = set.name;
  const { port } = serverOf(snapshot);
  // A StatefulSet that is recreated for larger volumes restarts none of its pods until its partition is opened.
  const isOpened = restarts.length > 0 || set.partition > 0 || storage !== undefined;
  return [
    ...settingSteps(snapshot, { live, atStart }, redisConf === undefined ? undefined : set.configMap),
    ...(storage === undefined ? [] : [makeStep('growVolumes', { workload, storage, port }, String)]),
    ...(template === undefined ? [] : [makeStep('changeTemplate', { workload, ...template }, String)]),
    ...restartSteps(snapshot, facts, port, restarts),
    ...(isOpened ? [makeStep('openPartition', { workload }, String)] : []),
  ];
}

/**
 * Those that servers take while they run are made there first: where one is refused, none is left and none is kept.
 * @param configMap undefined where it says all of it already
 */
function settingSteps(
  snapshot: ClusterSnapshot,
  { live, atStart }: Pick<Difference, 'live' | 'atStart'>,
  configMap: string | undefined,
): readonly Step[] {
  const nodes = snapshot.nodes.map(({ id }) => id);
  const keep = ([name, value]: readonly [string, string]): readonly Step[] =>
    configMap === undefined ? [] : [makeStep('keepSetting', { configMap, name, value }, String)];
  return [
    ...Object.entries(live).map(([name, value]) =>
      makeStep('setConfig', { nodes, name, value }, namesIn(snapshot)),
    ),
    ...Object.entries({ ...live, ...atStart }).flatMap(keep),
  ];
}

function restartSteps(
  snapshot: ClusterSnapshot,
  { set, pods }: UpgradeFacts,
  port: number,
  restarts: readonly SetPod[],
): readonly Step[] {
  const workload = set.name;
  const unattended = mastersAlone(snapshot);
  const answering = new Map(snapshot.nodes.filter(answers).map((node) => [node.pod?.name, node]));
  // Those of a revision that was tried, and whose turn will be taken back.
  const broken = pods.filter(
    ({ name, ready, deleting, starting, revision }) =>
      revision !== set.revisionBefore && !ready && !deleting && !starting && !answering.has(name),
  );
  const masters = new Set(mastersOf(snapshot).map(nodeName));
  return [
    ...(restarts.length === 0 ? [] : broken).map(({ name: pod, uid }) =>
      makeStep('recreatePod', { workload, pod, uid, port }, String),
    ),
    ...restarts.map(({ name: pod, uid }) => {
      const node = answering.get(pod)?.id;
      const fields = {
        ...{ workload, pod, uid, port, revision: set.revision ?? '' },
        ...{ isMaster: masters.has(pod), isUnattended: unattended.has(pod) },
        keepsFiles: set.claimTemplates.length > 0,
      };
      return makeStep('restartPod', node === undefined ? fields : { ...fields, node }, String);
    }),
  ];
}

function warningsFor(
  { set, pods, growing }: UpgradeFacts,
  { template, storage, image, redisConf }: Difference,
  restarts: readonly SetPod[],
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

/** Masters without a replica to take over. A replica out of touch counts: it may be restarting, and is waited for. */
function mastersAlone(snapshot: ClusterSnapshot): ReadonlySet<string> {
  const alone = mastersOf(snapshot)
    .filter((master) => master.slots.length > 0)
    .filter((master) => !snapshot.nodes.some((node) => node.masterId === master.id));
  return new Set(alone.map(nodeName));
}
