import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';

/** By claim, where a pod that names it is there: whether one of the pod's containers really mounts it. */
export type Mounts = ReadonlyMap<string, { readonly pod: string; readonly use: 'mounted' | 'unmounted' }>;

interface PodFields {
  readonly spec?: {
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
    readonly containers?: readonly { readonly volumeMounts?: readonly { readonly name: string }[] }[];
  };
}

/** A claim that a pod names and no container mounts holds nothing of the server: its keys are in memory only. */
export async function mountsOf(
  access: KubernetesAccess,
  namespace: string,
  claims: readonly string[],
): Promise<Mounts> {
  if (claims.length === 0) return new Map();
  const pods = await access.list('v1', 'Pod', namespace);
  return new Map(pods.flatMap((pod) => mountsIn(pod).filter(([claim]) => claims.includes(claim))));
}

function mountsIn(object: KubernetesObject) {
  const { volumes = [], containers = [] } = (object as unknown as PodFields).spec ?? {};
  const mounted = new Set(
    containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
  );
  return volumes.map(({ name, persistentVolumeClaim }) => {
    const use = mounted.has(name) ? ('mounted' as const) : ('unmounted' as const);
    return [persistentVolumeClaim?.claimName ?? '', { pod: object.metadata.name, use }] as const;
  });
}
