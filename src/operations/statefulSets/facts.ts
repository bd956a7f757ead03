import type { Pod } from '../../kubernetes/apiObjects.ts';
import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import type { KubernetesClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import { isOrdinalOf } from './claims.ts';
import { isStarting } from './podTrouble.ts';
import { topOwnerOf, type OwnedMetadata, type Owner } from './owner.ts';

/** What is read of a StatefulSet to renew its pods. */
export interface SetFacts {
  readonly name: string;
  readonly resourceVersion: string;
  readonly replicas: number;
  readonly strategy: string;
  /** Pods from this ordinal on get the new revision; 0 outside of an upgrade. */
  readonly partition: number;
  /** The revision pods are to have; undefined while the controller has not looked at the last change yet. */
  readonly revision: string | undefined;
  /** The revision of pods whose turn has not come. */
  readonly revisionBefore: string | undefined;
  readonly containers: readonly ContainerFacts[];
  readonly claimTemplates: readonly ClaimTemplate[];
  readonly podAnnotations: Readonly<Record<string, string>>;
  /** The ConfigMap mounted with the servers' configuration, where there is one that the manifests' name says. */
  readonly configMap: string | undefined;
  /** Who changes it back if it is changed by anybody else: an operator's object, Helm, Argo CD, Flux. */
  readonly owner: Owner | undefined;
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  readonly memory: string | undefined;
}

interface ClaimTemplate {
  readonly name: string;
  readonly storage: string;
  readonly storageClass: string | undefined;
}

/** A pod as far as its place in the StatefulSet goes. */
export interface SetPod {
  readonly ordinal: number;
  readonly name: string;
  readonly uid: string;
  readonly revision: string;
  readonly ready: boolean;
  readonly deleting: boolean;
  /** Its containers start for the first time: nothing tells yet that it does not become ready. */
  readonly starting: boolean;
}

export interface ClaimFacts {
  readonly name: string;
  readonly requested: string;
  readonly capacity: string | undefined;
  readonly storageClass: string | undefined;
}

/** What Kubernetes says that decides whether and how a cluster's pods can be renewed. */
export interface UpgradeFacts {
  readonly set: SetFacts;
  readonly pods: readonly SetPod[];
  /** The text of redis.conf, where it is asked for or known. */
  readonly redisConf: string | undefined;
  readonly claims: readonly ClaimFacts[];
  /** StorageClasses whose volumes can grow; undefined where the user may not look. */
  readonly growing: readonly string[] | undefined;
}

interface SetObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly generation: number;
  } & OwnedMetadata;
  readonly spec: {
    readonly replicas?: number;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
    readonly template: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly {
          readonly name: string;
          readonly image?: string;
          readonly resources?: { readonly limits?: { readonly memory?: string } };
        }[];
        readonly volumes?: readonly {
          readonly name: string;
          readonly configMap?: { readonly name?: string };
        }[];
      };
    };
    readonly volumeClaimTemplates?: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: {
        readonly storageClassName?: string;
        readonly resources: { readonly requests?: { readonly storage?: string } };
      };
    }[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updateRevision?: string;
    readonly currentRevision?: string;
  };
}

/** Reads everything a plan needs. Throws UserError `not-found` where there is no such StatefulSet. */
export async function readUpgradeFacts(
  access: KubernetesAccess,
  { namespace }: KubernetesClusterRef,
  name: string,
): Promise<UpgradeFacts> {
  const set = await readSet(access, namespace, name);
  const [pods, redisConf, claims, growing] = await Promise.all([
    readPods(access, namespace, name),
    set.configMap === undefined ? undefined : readRedisConf(access, namespace, set.configMap),
    readClaims(access, namespace, set),
    readGrowingClasses(access),
  ]);
  return { set, pods, redisConf, claims, growing };
}

export async function readSet(access: KubernetesAccess, namespace: string, name: string): Promise<SetFacts> {
  const found = await access.get('apps/v1', 'StatefulSet', namespace, name);
  if (found === undefined) {
    throw new UserError('not-found', `StatefulSet ${name} no longer exists in namespace ${namespace}.`);
  }
  return { ...setFacts(found), owner: await topOwnerOf(access, namespace, found.metadata) };
}

function setFacts(object: KubernetesObject): Omit<SetFacts, 'owner'> {
  const { metadata, spec, status } = object as unknown as SetObject;
  return {
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    replicas: spec.replicas ?? 1,
    ...rolloutOf(spec.updateStrategy),
    revision: (status?.observedGeneration ?? 0) >= metadata.generation ? status?.updateRevision : undefined,
    revisionBefore: status?.currentRevision,
    ...templateFacts(spec.template),
    claimTemplates: (spec.volumeClaimTemplates ?? []).map((claim) => ({
      name: claim.metadata.name,
      storage: claim.spec.resources.requests?.storage ?? '',
      storageClass: claim.spec.storageClassName,
    })),
  };
}

function rolloutOf(strategy: SetObject['spec']['updateStrategy']): Pick<SetFacts, 'strategy' | 'partition'> {
  return {
    strategy: strategy?.type ?? 'RollingUpdate',
    partition: strategy?.rollingUpdate?.partition ?? 0,
  };
}

function templateFacts({
  metadata,
  spec,
}: SetObject['spec']['template']): Pick<SetFacts, 'containers' | 'podAnnotations' | 'configMap'> {
  return {
    containers: spec.containers.map((one) => ({
      name: one.name,
      image: one.image ?? '',
      memory: one.resources?.limits?.memory,
    })),
    podAnnotations: metadata?.annotations ?? {},
    configMap: spec.volumes?.find(({ name }) => name === 'config')?.configMap?.name,
  };
}

/** The StatefulSet's pods from the lowest ordinal up. */
export async function readPods(
  access: KubernetesAccess,
  namespace: string,
  set: string,
): Promise<readonly SetPod[]> {
  const found = await access.list('v1', 'Pod', namespace);
  return found
    .filter(({ metadata }) => isOrdinalOf(metadata.name, `${set}-`))
    .map((object) => {
      const { metadata, status } = object as KubernetesObject & Pod;
      return {
        ordinal: Number(metadata.name.slice(set.length + 1)),
        name: metadata.name,
        uid: metadata.uid ?? '',
        revision: metadata.labels?.['controller-revision-hash'] ?? '',
        ready: status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
        deleting: metadata.deletionTimestamp !== undefined,
        starting: isStarting(status),
      };
    })
    .sort((a, b) => a.ordinal - b.ordinal);
}

export async function readRedisConf(
  access: KubernetesAccess,
  namespace: string,
  configMap: string,
): Promise<string | undefined> {
  const found = await access.get('v1', 'ConfigMap', namespace, configMap);
  return (found?.['data'] as Readonly<Record<string, string>> | undefined)?.['redis.conf'];
}

export async function readClaims(
  access: KubernetesAccess,
  namespace: string,
  set: SetFacts,
): Promise<readonly ClaimFacts[]> {
  if (set.claimTemplates.length === 0) return [];
  const found = await access.list('v1', 'PersistentVolumeClaim', namespace);
  return found
    .filter(({ metadata: { name } }) =>
      set.claimTemplates.some((template) => isOrdinalOf(name, `${template.name}-${set.name}-`)),
    )
    .map((claim) => {
      const spec = claim['spec'] as {
        readonly storageClassName?: string;
        readonly resources?: { readonly requests?: { readonly storage?: string } };
      };
      const status = claim['status'] as { readonly capacity?: { readonly storage?: string } } | undefined;
      return {
        name: claim.metadata.name,
        requested: spec.resources?.requests?.storage ?? '',
        capacity: status?.capacity?.storage,
        storageClass: spec.storageClassName,
      };
    });
}

async function readGrowingClasses(access: KubernetesAccess): Promise<readonly string[] | undefined> {
  try {
    const classes = await access.list('storage.k8s.io/v1', 'StorageClass', '');
    return classes.filter((one) => one['allowVolumeExpansion'] === true).map((one) => one.metadata.name);
  } catch (error) {
    if (error instanceof UserError && error.reason === 'forbidden') return undefined;
    throw error;
  }
}
