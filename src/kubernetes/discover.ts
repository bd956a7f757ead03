import type { PodFacts, WorkloadFacts } from '../model/snapshot.ts';
import type { OwnerReference, Pod, PodSpec, StatefulSet } from './apiObjects.ts';
import type { ApiClient } from './client.ts';
import { clusterSignOf } from './clusterSigns.ts';
import type { Candidate } from './kubernetesAccess.ts';
import { podFacts } from './podFacts.ts';
import { redisContainer, type RedisContainer } from './redisContainer.ts';
import { kinshipOf } from './kinship.ts';
import { secretsOf } from './secretsOf.ts';

const pageSize = '500';

/** Everything in a namespace, or in all, that looks like Redis or Valkey: two lists, page by page. */
export async function discover(
  client: ApiClient,
  namespace: string | undefined,
  signal?: AbortSignal,
): Promise<readonly Candidate[]> {
  const [pods, sets] = await Promise.all([
    listAll(client, '/api/v1', 'pods', namespace, signal),
    listAll(client, '/apis/apps/v1', 'statefulsets', namespace, signal),
  ]);
  return candidates(pods as readonly Pod[], sets as readonly StatefulSet[]);
}

interface Page {
  readonly items: readonly unknown[];
  readonly metadata: { readonly continue?: string };
}

/** All objects of a resource, in pages: the server may refuse to hand out thousands at once. */
export async function listAll(
  client: ApiClient,
  group: string,
  resource: string,
  namespace: string | undefined,
  signal?: AbortSignal,
  labelSelector?: string,
): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  const path = `${group}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${resource}`;
  let next: string | undefined;
  do {
    const page = (await client.json({
      asked: { verb: 'list', resource, namespace },
      method: 'GET',
      path,
      query: { limit: pageSize, continue: next, labelSelector },
      signal,
    })) as Page;
    items.push(...page.items);
    next = page.metadata.continue;
  } while (next !== undefined && next !== '');
  return items;
}

/** Groups pods by what owns them; a StatefulSet that could not make a single pod yet is a candidate as well. */
export function candidates(pods: readonly Pod[], sets: readonly StatefulSet[]): readonly Candidate[] {
  const groups = new Map<string, Group>();
  for (const set of sets) {
    const redis = redisOfStatefulSet(set);
    if (redis !== undefined) groups.set(groupKey(set, 'StatefulSet', nameOf(set)), { set, redis, pods: [] });
  }
  for (const pod of pods) addPod(groups, pod);
  return [...groups.values()].map(candidate).sort(byName);
}

interface Group {
  readonly set?: StatefulSet;
  readonly redis: RedisContainer;
  readonly pods: Pod[];
}

function addPod(groups: Map<string, Group>, pod: Pod): void {
  const owner = ownerOf(pod);
  const key = groupKey(pod, owner.kind, owner.name);
  const known = groups.get(key);
  const redis = known?.redis ?? redisOfPod(pod);
  if (redis === undefined || isOver(pod, owner.kind)) return;
  if (known === undefined) groups.set(key, { redis, pods: [pod] });
  else known.pods.push(pod);
}

function groupKey(object: Pod | StatefulSet, kind: string, name: string): string {
  return `${namespaceOf(object)}/${kind}/${name}`;
}

function nameOf(object: Pod | StatefulSet): string {
  return object.metadata?.name ?? '';
}

function namespaceOf(object: Pod | StatefulSet): string {
  return object.metadata?.namespace ?? '';
}

/**
 * Pods of jobs are no servers, nor is a pod of nobody's that has done its work. One that its owner wants to run and that
 * has ended, such as by the shutdown of its Kubernetes node, is missing until somebody replaces it.
 */
function isOver(pod: Pod, ownerKind: string): boolean {
  return ownerKind === 'Job' || (ownerKind === 'Pod' && pod.status?.phase === 'Succeeded');
}

function ownerOf(pod: Pod): OwnerReference {
  return controllerIn(pod.metadata?.ownerReferences) ?? { kind: 'Pod', name: nameOf(pod) };
}

function controllerIn(owners: readonly OwnerReference[] = []): OwnerReference | undefined {
  return owners.find(({ controller }) => controller === true);
}

function ownerIn(owners: readonly OwnerReference[] | undefined): Pick<Candidate, 'owner'> {
  const { apiVersion, kind, name } = controllerIn(owners) ?? {};
  if (apiVersion === undefined || kind === undefined || name === undefined) return {};
  return { owner: { apiVersion, kind, name } };
}

export function redisOfPod(pod: Pod): RedisContainer | undefined {
  return redisContainer(pod.spec?.containers ?? [], pod.metadata?.labels);
}

export function redisOfStatefulSet(set: StatefulSet): RedisContainer | undefined {
  const template = set.spec?.template;
  return redisContainer(template?.spec?.containers ?? [], template?.metadata?.labels);
}

function candidate({ set, redis, pods }: Group): Candidate {
  return set === undefined ? candidateOfPods(pods, redis) : candidateOfSet(set, pods, redis);
}

function candidateOfSet(set: StatefulSet, pods: readonly Pod[], redis: RedisContainer): Candidate {
  const { metadata, spec } = set;
  const name = nameOf(set);
  const labels = { ...spec?.template.metadata?.labels, ...metadata?.labels };
  return {
    namespace: namespaceOf(set),
    workload: { kind: 'StatefulSet', name, ...countsOf(set), bundled: isBundled(set) },
    ...(metadata?.uid === undefined ? {} : { uid: metadata.uid }),
    ...ownerIn(metadata?.ownerReferences),
    kin: kinshipOf(labels, metadata?.ownerReferences),
    pods: factsOf(pods, redis, name),
    ...specOf(spec?.template.spec, redis, labels, metadata?.ownerReferences),
  };
}

function candidateOfPods(pods: readonly Pod[], redis: RedisContainer): Candidate {
  const { metadata, spec } = pods[0] ?? {};
  const owner = ownerOf({ metadata: metadata ?? {} });
  const facts = factsOf(pods, redis, owner.name);
  const workload: WorkloadFacts = {
    kind: owner.kind === 'Pod' || owner.kind === 'StatefulSet' ? owner.kind : 'Other',
    name: owner.name,
    replicas: facts.length,
    readyReplicas: facts.filter((pod) => pod.ready).length,
    bundled: false,
  };
  // Who owns the workload is not listed, but a ReplicaSet's name says its Deployment.
  const owners = owner.kind === 'ReplicaSet' ? [{ ...owner, controller: true }] : [];
  const kin = kinshipOf(metadata?.labels ?? {}, owners);
  return {
    namespace: facts[0]?.namespace ?? '',
    workload,
    ...(owner.uid === undefined ? {} : { uid: owner.uid }),
    ...ownerIn(metadata?.ownerReferences),
    kin,
    pods: facts,
    ...specOf(spec, redis, metadata?.labels, metadata?.ownerReferences),
  };
}

/** What the spec of a workload's pods says of their servers. */
function specOf(
  spec: PodSpec | undefined,
  redis: RedisContainer,
  labels: Readonly<Record<string, string>> = {},
  owners?: readonly OwnerReference[],
): Pick<Candidate, 'clusterSign' | 'signIn' | 'passwordFrom' | 'passwordIsMounted' | 'tlsFrom'> {
  const ownerKind = controllerIn(owners)?.kind;
  const clusterSign = clusterSignOf({ redis, containers: spec?.containers ?? [], labels, ownerKind });
  return { ...(clusterSign === undefined ? {} : { clusterSign }), ...secretsOf(spec, redis.container) };
}

function factsOf(pods: readonly Pod[], redis: RedisContainer, workload: string): readonly PodFacts[] {
  return pods
    .map((pod) => podFacts(pod, redisOfPod(pod) ?? redis, workload))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function countsOf(set: StatefulSet): Pick<WorkloadFacts, 'replicas' | 'readyReplicas' | 'rollout'> {
  const replicas = set.spec?.replicas ?? 1;
  const rollout = rolloutOf(set, replicas);
  return {
    replicas,
    readyReplicas: set.status?.readyReplicas ?? 0,
    ...(rollout === undefined ? {} : { rollout }),
  };
}

/** Pods below the partition keep the old revision for good, and all do where a person deletes them one by one. */
function rolloutOf({ spec, status }: StatefulSet, replicas: number): WorkloadFacts['rollout'] {
  const { updateRevision, currentRevision, updatedReplicas: updated = 0 } = status ?? {};
  if (updateRevision === undefined || updateRevision === currentRevision) return undefined;
  if (spec?.updateStrategy?.type === 'OnDelete') return undefined;
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  const of = Math.max(0, replicas - partition);
  // Without a partition the revisions are equal as soon as the last pod is ready.
  return updated < of || partition === 0 ? { updated, of } : undefined;
}

/** Whether a StatefulSet comes from this extension's manifests, whoever applied them. */
function isBundled(set: StatefulSet): boolean {
  const labels = set.metadata?.labels ?? {};
  if (labels['app.kubernetes.io/managed-by'] === 'kubernetes-redis-cluster') return true;
  const agent = set.spec?.template.spec?.containers.some((one) => one.name === 'agent') ?? false;
  return labels['app.kubernetes.io/name'] === 'redis-cluster' && agent;
}

function byName(a: Candidate, b: Candidate): number {
  const text = ({ namespace, workload }: Candidate): string => `${namespace}/${workload.name}`;
  return text(a).localeCompare(text(b), 'en', { numeric: true });
}
