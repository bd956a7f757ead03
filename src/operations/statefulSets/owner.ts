import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { describeRef, isKubernetesRef } from '../../model/clusterRef.ts';
import { podsOf } from '../../model/endedPods.ts';
import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot, WorkloadFacts } from '../../model/snapshot.ts';

/** What of an object's metadata tells who made it. */
export interface OwnedMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

interface OwnerReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly controller?: boolean;
}

/** Who made an object and would change it back. */
export interface Owner {
  /** What people edit instead, such as `RedisCluster "db"`. */
  readonly name: string;
  /** What acts on it, as a sentence begins: `Its operator`, `Flux`. */
  readonly tool: string;
}

/** `StatefulSet db is managed by the Helm release "db". Helm would revert the change.` */
export function managedText(what: string, { name, tool }: Owner, would = 'revert the change'): string {
  return `${what} is managed by ${name}. ${tool} would ${would}.`;
}

/** Names the tool that would change an object back, by the marks it leaves: an operator, Flux, Argo CD or Helm. */
export function ownerOf(metadata: OwnedMetadata): Owner | undefined {
  const { labels = {}, annotations = {} } = metadata;
  const owner = controllerOf(metadata);
  if (owner !== undefined) return { name: named(owner), tool: 'Its operator' };
  const flux = labels['helm.toolkit.fluxcd.io/name'] ?? labels['kustomize.toolkit.fluxcd.io/name'];
  if (flux !== undefined) return { name: `the Flux object "${flux}"`, tool: 'Flux' };
  const argo = labels['argocd.argoproj.io/instance'] ?? annotations['argocd.argoproj.io/tracking-id'];
  if (argo !== undefined)
    return { name: `the Argo CD application "${argo.split(':')[0] ?? argo}"`, tool: 'Argo CD' };
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) return { name: `the Helm release "${release}"`, tool: 'Helm' };
  if (labels['app.kubernetes.io/managed-by'] === 'Helm') return { name: 'a Helm release', tool: 'Helm' };
  return undefined;
}

/** Longer chains than this are not followed: a StatefulSet is seldom more than two objects below its cluster's. */
const longestChain = 8;

/**
 * As `ownerOf`, but names the top of the chain of owners: the object that people edit, not one that its operator makes
 * in between. Stops below an object that may not be read, and names the last one that is known. Above pods, what makes
 * them for Kubernetes itself is no owner, but whoever made that is.
 */
export async function topOwnerOf(
  access: KubernetesAccess,
  namespace: string,
  metadata: OwnedMetadata,
): Promise<Owner | undefined> {
  const below = await belowTop(access, namespace, metadata);
  const top = controllerOf(below);
  if (top?.apiVersion === undefined || !plainKinds.includes(top.kind)) return ownerOf(below);
  const object = await readIfAllowed(access, top.apiVersion, top.kind, namespace, top.name);
  return object && ownerOf(object.metadata);
}

/** The metadata of the highest object of the chain that has an owner. */
async function belowTop(
  access: KubernetesAccess,
  namespace: string,
  metadata: OwnedMetadata,
): Promise<OwnedMetadata> {
  let named = metadata;
  for (let links = 0; links < longestChain; links++) {
    const owner = controllerOf(named);
    if (owner?.apiVersion === undefined) return named;
    const object = await readIfAllowed(access, owner.apiVersion, owner.kind, namespace, owner.name);
    const above = object?.metadata as OwnedMetadata | undefined;
    if (above === undefined || controllerOf(above) === undefined) return named;
    named = above;
  }
  return named;
}

function named({ kind, name }: OwnerReference): string {
  return `${kind} "${name}"`;
}

function controllerOf({ ownerReferences }: OwnedMetadata): OwnerReference | undefined {
  return ownerReferences?.find((one) => one.controller === true);
}

/** Kinds may be unknown to the API, or not for this user to read: then the chain ends here. */
async function readIfAllowed(
  access: KubernetesAccess,
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
): Promise<KubernetesObject | undefined> {
  try {
    return await access.get(apiVersion, kind, namespace, name);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Kubernetes' own controllers of pods: they undo nothing that servers do among themselves. */
const plainKinds = ['StatefulSet', 'ReplicaSet', 'Deployment', 'DaemonSet', 'Job', 'Node'];

/** The object of the operator that runs a pod, as `Kind "name"`; undefined where no operator is known to. */
export async function operatorOf(
  access: KubernetesAccess,
  namespace: string,
  pod: string,
): Promise<string | undefined> {
  const object = await readIfAllowed(access, 'v1', 'Pod', namespace, pod);
  if (object === undefined) return undefined;
  const owner = controllerOf(await belowTop(access, namespace, object.metadata));
  return owner === undefined || plainKinds.includes(owner.kind) ? undefined : named(owner);
}

/** Who looks after a workload that may be of any kind: then the owners are those of its pod. */
export async function workloadOwner(
  access: KubernetesAccess,
  namespace: string,
  { kind, name }: Pick<WorkloadFacts, 'kind' | 'name'>,
  pod: string | undefined,
): Promise<Owner | undefined> {
  const object =
    kind === 'StatefulSet'
      ? await readIfAllowed(access, 'apps/v1', 'StatefulSet', namespace, name)
      : pod === undefined
        ? undefined
        : await readIfAllowed(access, 'v1', 'Pod', namespace, pod);
  return object && (await topOwnerOf(access, namespace, object.metadata));
}

/**
 * Throws a UserError where a cluster runs in several workloads, or in one of another kind, which only the tool that made
 * them can change; names that tool where it is known.
 */
export async function refuseSeveral(access: KubernetesAccess, snapshot: ClusterSnapshot): Promise<void> {
  const { ref, workloads } = snapshot;
  const [first, ...others] = workloads;
  if (first === undefined || !isKubernetesRef(ref)) return;
  if (others.length === 0 && first.kind === 'StatefulSet') return;
  const pod = podsOf(snapshot).find(({ workload }) => workload === first.name);
  const owner = await workloadOwner(access, ref.namespace, first, pod?.name);
  if (owner === undefined) return;
  const names = workloads.map(({ name }) => name).join(', ');
  const what =
    others.length === 0 ? describeRef(ref) : `${describeRef(ref)}, in several workloads (${names}),`;
  throw new UserError('unsafe', `${managedText(what, owner)} Make it there. Nothing was changed.`);
}

/**
 * What somebody else would undo is not begun. Throws a UserError `unsafe` that names who owns the StatefulSet. Who may
 * scale it and not read it is not kept from that.
 */
export async function refuseOwned(
  access: KubernetesAccess,
  namespace: string,
  statefulSet: string,
): Promise<void> {
  if (!(await access.may('get', 'statefulsets', 'apps', namespace))) return;
  const object = await access.get('apps/v1', 'StatefulSet', namespace, statefulSet);
  const owner = object && (await topOwnerOf(access, namespace, object.metadata));
  if (owner === undefined) return;
  throw new UserError(
    'unsafe',
    `${managedText(`StatefulSet ${statefulSet}`, owner)} Scale it there. Nothing was changed.`,
  );
}
