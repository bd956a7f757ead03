import { quantity } from '../model/quantity.ts';
import { describeRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { isAbort, StoppedError, UserError } from '../model/errors.ts';
import type { ShownPlan } from './plan.ts';
import { nodeName } from '../model/shards.ts';
import type { RedisNode, WorkloadFacts } from '../model/snapshot.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { findClusterObjects, type ClusterObjects } from './deploy/clusterObjects.ts';
import { isOrdinalOf } from './deploy/claims.ts';
import type { WaitPorts } from './deploy/waitForPods.ts';

export interface DeletePlan extends ShownPlan {
  readonly ref: KubernetesClusterRef;
  readonly clusterObjects: ClusterObjects;
  /** Whether volumes, and with them all keys, are deleted too. */
  readonly volumes: boolean;
}

export interface Deleted {
  /** `StatefulSet redis-cluster` …, in the order in which they went. */
  readonly deleted: readonly string[];
}

/** Milliseconds in which at least one more pod or volume must go. */
const podLimit = 180_000;
const pollEvery = 300;

/** Finds what would be deleted and plans. Changes nothing. @param workloads those of the cluster's snapshot, or none */
export async function prepareDelete(
  access: KubernetesAccess,
  ref: KubernetesClusterRef,
  workloads: readonly WorkloadFacts[],
  options: { readonly volumes: boolean },
): Promise<DeletePlan> {
  return planDelete(ref, await findClusterObjects(access, ref, workloads), options);
}

/** Throws a UserError where there is nothing to delete. */
export function planDelete(
  ref: KubernetesClusterRef,
  clusterObjects: ClusterObjects,
  { volumes }: { readonly volumes: boolean },
  nodes: readonly RedisNode[] = [],
): DeletePlan {
  const names = deletedNames(clusterObjects, volumes);
  if (names.length === 0) throw nothingThere(ref, clusterObjects);
  return {
    title: `Delete ${describeRef(ref)}${volumes ? ' with its volumes' : ''}`,
    ref,
    operation: 'delete',
    request: { volumes },
    clusterObjects,
    volumes,
    steps: [
      { destroys: true, text: `Delete ${names.join(', ')}` },
      { destroys: false, text: 'Wait until all pods are gone' },
    ],
    warnings: warningsFor(clusterObjects, nodes, volumes),
    losses: lossesFor(clusterObjects, nodes, volumes),
  };
}

function nothingThere(ref: KubernetesClusterRef, { claims }: ClusterObjects): UserError {
  const volumes =
    claims.length === 0
      ? ''
      : ` Only volumes are left (${claims.join(', ')}); delete them with “volumes”: true.`;
  return new UserError(
    'not-found',
    `Nothing of ${describeRef(ref)} was found.${volumes} Nothing was deleted.`,
  );
}

function deletedNames({ objects, claims, secrets }: ClusterObjects, volumes: boolean): readonly string[] {
  return [
    ...objects.map(({ kind, name }) => `${kind} ${name}`),
    ...(volumes ? claims.map((name) => `PersistentVolumeClaim ${name}`) : []),
    ...(volumes ? secrets.map((name) => `Secret ${name}`) : []),
  ];
}

/** What is known of the kept volumes, each group in a sentence; "all keys" is never said of what was not looked at. */
function warningsFor(
  { claims, secrets, mounts }: ClusterObjects,
  nodes: readonly RedisNode[],
  volumes: boolean,
): readonly string[] {
  if (volumes || claims.length === 0) return [];
  const kept = [volumesText(claims), ...secrets.map((name) => `Secret ${name}`)].join(' and ');
  return [
    `Kept: ${kept}. Delete them before you deploy a new cluster with this name, or reuse them.`,
    ...contents(claims, mounts, nodes),
  ];
}

/** Pods whose servers keep their data on no volume, whatever else is mounted there. */
function podsOffVolumes(nodes: readonly RedisNode[]): ReadonlySet<string> {
  return new Set(
    nodes.flatMap(({ pod }) => (pod?.storage === 'none' || pod?.storage === 'emptyDir' ? [pod.name] : [])),
  );
}

/** What the volumes hold, by who mounts them and what the servers there have. */
function contents(
  claims: readonly string[],
  mounts: ClusterObjects['mounts'],
  nodes: readonly RedisNode[],
): readonly string[] {
  const off = podsOffVolumes(nodes);
  const isOff = (claim: string): boolean => off.has(mounts.get(claim)?.pod ?? '');
  const byUse = (use: string): readonly string[] =>
    claims.filter((claim) => (mounts.get(claim)?.use ?? 'podless') === use);
  const [unmounted, podless] = [byUse('unmounted'), byUse('podless')];
  const mounted = byUse('mounted').filter((claim) => !isOff(claim));
  const beside = byUse('mounted').filter(isOff);
  const pods = mounted.map((claim) => mounts.get(claim)?.pod);
  const keys = keysIn(nodes.filter(({ pod }) => pods.includes(pod?.name)));
  const held =
    keys === undefined ? 'what they hold is unknown' : `their servers hold ${quantity(keys, 'key')}`;
  return [
    ...(mounted.length === 0 ? [] : [`Pods mount ${volumesText(mounted)}; ${held}.`]),
    ...(beside.length === 0
      ? []
      : [
          `The servers keep their data in other folders than those of ${volumesText(beside)}: no keys of this cluster are there.`,
        ]),
    ...(unmounted.length === 0
      ? []
      : [`No container mounts ${volumesText(unmounted)}: no keys of this cluster are there.`]),
    ...(podless.length === 0
      ? []
      : [`The pods of ${volumesText(podless)} are gone; what these volumes hold is unknown.`]),
  ];
}

/** Keys on the masters among the nodes; undefined where one did not answer, or there is none. */
function keysIn(nodes: readonly RedisNode[]): number | undefined {
  if (nodes.length === 0 || nodes.some(({ view }) => view === undefined)) return undefined;
  return nodes.reduce((sum, { role, view }) => sum + (role === 'master' ? (view?.keys ?? 0) : 0), 0);
}

/** How many, and the first and the last: a dialog has no room for a hundred names, and the plan's step has them all. */
function volumesText(claims: readonly string[]): string {
  const [first = '', ...others] = claims;
  const last = others.at(-1);
  return last === undefined
    ? `the volume ${first}`
    : `${quantity(claims.length, 'volume')} (${first} to ${last})`;
}

function lossesFor(
  { claims, pods, mounts }: ClusterObjects,
  nodes: readonly RedisNode[],
  volumes: boolean,
): readonly string[] {
  const losses: string[] = [];
  if (pods > 0)
    losses.push(
      `${quantity(pods, 'pod')} ${pods === 1 ? 'is' : 'are'} deleted, and clients can no longer connect.`,
    );
  const off = podsOffVolumes(nodes);
  const mounted = new Set(
    [...mounts.values()].flatMap(({ pod, use }) => (use === 'mounted' && !off.has(pod) ? [pod] : [])),
  );
  const inMemory = nodes.filter(
    ({ role, pod, view }) =>
      role === 'master' && view?.keys !== 0 && pod !== undefined && !mounted.has(pod.name),
  );
  const unmounted = [...mounts.values()].filter(({ pod, use }) => use === 'unmounted' || off.has(pod));
  if (unmounted.length === claims.length) {
    losses.push('All keys are permanently deleted with the pods: no volume holds them.');
  } else if (inMemory.length > 0) {
    losses.push(
      `The keys of ${inMemory.map(nodeName).join(', ')} are permanently deleted with the pods: no volume holds them.`,
    );
  }
  if (volumes && claims.length > 0) {
    losses.push(`All keys on ${volumesText(claims)} are permanently deleted.`);
  }
  return losses;
}

/** Deletes, waits until the pods are gone, then deletes volumes where the plan says so. What is gone already is no error. */
export async function runDelete(plan: DeletePlan, ports: WaitPorts): Promise<Deleted> {
  const { ref, clusterObjects, volumes } = plan;
  const { access, report, signal } = ports;
  const deleted: string[] = [];
  const remove = async (apiVersion: string, kind: string, name: string): Promise<void> => {
    signal.throwIfAborted();
    report({ text: `deleting ${kind} ${name}` });
    if (await access.delete(apiVersion, kind, ref.namespace, name, signal)) deleted.push(`${kind} ${name}`);
  };
  try {
    for (const { apiVersion, kind, name } of clusterObjects.objects) await remove(apiVersion, kind, name);
    await waitUntilGone(ports, 'pods', () => podsLeft(plan, access));
    if (volumes) {
      for (const name of clusterObjects.claims) await remove('v1', 'PersistentVolumeClaim', name);
      for (const name of clusterObjects.secrets) await remove('v1', 'Secret', name);
      await waitUntilGone(ports, 'volumes', () => claimsLeft(plan, access));
    }
    return { deleted };
  } catch (error) {
    throw withProgress(ref, deleted, error);
  }
}

/** By name: a pod whose containers have ended is no server any more, and still holds its volume. */
async function podsLeft(
  { ref, clusterObjects }: DeletePlan,
  access: KubernetesAccess,
): Promise<readonly string[]> {
  const sets = clusterObjects.objects.filter(({ kind }) => kind === 'StatefulSet');
  const pods = (await access.list('v1', 'Pod', ref.namespace)).map(({ metadata }) => metadata.name);
  return pods.filter((pod) => sets.some((set) => isOrdinalOf(pod, `${set.name}-`)));
}

/** A claim stays for a moment after the pod that used it; until then a new cluster of the name would be refused. */
async function claimsLeft(
  { ref, clusterObjects }: DeletePlan,
  access: KubernetesAccess,
): Promise<readonly string[]> {
  const claims = (await access.list('v1', 'PersistentVolumeClaim', ref.namespace)).map(
    ({ metadata }) => metadata.name,
  );
  return claims.filter((claim) => clusterObjects.claims.includes(claim));
}

/** Throws a UserError that names what stays where for a long time nothing more goes. */
async function waitUntilGone(
  { now, report, signal, delay }: WaitPorts,
  what: 'pods' | 'volumes',
  look: () => Promise<readonly string[]>,
): Promise<void> {
  let total: number | undefined;
  let fewest = Number.MAX_SAFE_INTEGER;
  let progressed = now();
  for (;;) {
    signal.throwIfAborted();
    const left = await look();
    if (left.length === 0) return;
    total ??= left.length;
    if (left.length < fewest) progressed = now();
    fewest = Math.min(fewest, left.length);
    report({
      text: `waiting until ${left.length} ${what} are deleted`,
      done: total - left.length,
      total,
      unit: what,
    });
    if (now() - progressed > podLimit) {
      throw new UserError(
        'failed',
        `These ${what} are still there: ${left.join(', ')}. Inspect them with kubectl describe; a finalizer or a lost Kubernetes node may block their deletion.`,
      );
    }
    await delay(pollEvery, signal);
  }
}

function withProgress(ref: KubernetesClusterRef, deleted: readonly string[], error: unknown): unknown {
  const done = deleted.length === 0 ? 'Nothing was deleted.' : `Deleted so far: ${deleted.join(', ')}.`;
  if (isAbort(error)) {
    return Object.assign(new Error(`Deleting ${ref.name} was cancelled. ${done}`), { name: 'AbortError' });
  }
  if (!(error instanceof UserError)) return error;
  if (deleted.length === 0)
    return new UserError(error.reason, `${ref.name} was not deleted. ${error.message}`, { cause: error });
  return new StoppedError(error.reason, `${ref.name} was only partly deleted. ${error.message} ${done}`, {
    changed: true,
    reached: { deleted },
    cause: error,
  });
}
