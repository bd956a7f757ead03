import { quantity } from '../model/quantity.ts';
import { describeRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { Plan } from './plans/plan.ts';
import { nodeName } from '../model/shards.ts';
import type { RedisNode, WorkloadFacts } from '../model/snapshot.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { findClusterObjects, type ClusterObjects } from './statefulSets/clusterObjects.ts';
import { makeStep, type Step } from './steps/index.ts';

/** Finds what would be deleted and plans. Changes nothing. @param workloads those of the cluster's snapshot, or none */
export async function prepareDelete(
  access: KubernetesAccess,
  ref: KubernetesClusterRef,
  workloads: readonly WorkloadFacts[],
  options: { readonly volumes: boolean },
): Promise<Plan> {
  return planDelete(ref, await findClusterObjects(access, ref, workloads), options);
}

/** Throws a UserError where there is nothing to delete. */
export function planDelete(
  ref: KubernetesClusterRef,
  clusterObjects: ClusterObjects,
  { volumes }: { readonly volumes: boolean },
  nodes: readonly RedisNode[] = [],
): Plan {
  const steps = stepsFor(clusterObjects, volumes);
  if (steps.length === 0) throw nothingThere(ref, clusterObjects);
  return {
    title: `Delete ${describeRef(ref)}${volumes ? ' with its volumes' : ''}`,
    ref,
    operation: 'delete',
    request: { volumes },
    steps,
    warnings: warningsFor(clusterObjects, nodes, volumes),
    losses: lossesFor(clusterObjects, nodes, volumes),
  };
}

function nothingThere(ref: KubernetesClusterRef, { claims }: ClusterObjects): UserError {
  const volumes =
    claims.length === 0
      ? ''
      : ` Only volumes are left (${claims.map(nameOf).join(', ')}); delete them with “volumes”: true.`;
  return new UserError(
    'not-found',
    `Nothing of ${describeRef(ref)} was found.${volumes} Nothing was deleted.`,
  );
}

/** What makes pods goes first; volumes only when no pod uses them any more, and what protects them last. */
function stepsFor(
  { objects, claims, secrets, workloads }: ClusterObjects,
  volumes: boolean,
): readonly Step[] {
  const removed = (those: ClusterObjects['objects']): readonly Step[] =>
    those.length === 0 ? [] : [makeStep('deleteObjects', { workloads, objects: those }, String)];
  const gone = (what: 'pods' | 'volumes', names: readonly string[]): readonly Step[] =>
    names.length === 0 ? [] : [makeStep('waitUntilGone', { what, names }, String)];
  const sets = objects.filter(({ kind }) => kind === 'StatefulSet').map(nameOf);
  const names = claims.map(nameOf);
  const uids = claims.map(({ uid }) => uid);
  return [
    ...removed(objects),
    ...gone('pods', sets),
    ...(volumes && claims.length > 0 ? [makeStep('deleteVolumes', { claims: names, uids }, String)] : []),
    ...(volumes ? [...removed(secrets), ...gone('volumes', names)] : []),
  ];
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** What is known of the kept volumes, each group in a sentence; "all keys" is never said of what was not looked at. */
function warningsFor(
  { claims, secrets, mounts, backups }: ClusterObjects,
  nodes: readonly RedisNode[],
  volumes: boolean,
): readonly string[] {
  const keptBackups = backups.map((name) => `Kept: volume ${name} with the scheduled backups.`);
  if (volumes || claims.length === 0) return keptBackups;
  const kept = [volumesText(claims.map(nameOf)), ...secrets.map(({ name }) => `Secret ${name}`)].join(
    ' and ',
  );
  return [
    `Kept: ${kept}. Delete them before you deploy a new cluster with this name, or reuse them.`,
    ...contents(claims.map(nameOf), mounts, nodes),
    ...keptBackups,
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
    losses.push(`All keys on ${volumesText(claims.map(nameOf))} are permanently deleted.`);
  }
  return losses;
}
