import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { isOrdinalOf } from './claims.ts';
import { readSet } from './facts.ts';

/** A pod that a StatefulSet would have again with more replicas, and the volumes that are there for it. */
export interface PodVolumes {
  readonly pod: string;
  readonly ordinal: number;
  /** Names of its claims; empty where none is there. */
  readonly claims: readonly string[];
}

/**
 * The pods above the present replicas with their volumes, from the lowest ordinal to the highest that has one. Changes
 * nothing. Undefined where the user may not look.
 */
export async function readPodVolumes(
  access: KubernetesAccess,
  { ref, workloads }: ClusterSnapshot,
): Promise<readonly PodVolumes[] | undefined> {
  const [workload] = workloads;
  if (!isKubernetesRef(ref) || workload?.kind !== 'StatefulSet') return [];
  try {
    const { claimTemplates, replicas } = await readSet(access, ref.namespace, workload.name);
    const claims = await access.list('v1', 'PersistentVolumeClaim', ref.namespace);
    const names = new Set(
      claims
        .filter(({ metadata }) => !('deletionTimestamp' in metadata))
        .map(({ metadata }) => metadata.name),
    );
    const claimOf = (template: string, ordinal: number): string => `${template}-${workload.name}-${ordinal}`;
    const ordinals = claimTemplates.flatMap(({ name }) =>
      [...names]
        .filter((claim) => isOrdinalOf(claim, claimOf(name, 0).slice(0, -1)))
        .map((claim) => Number(claim.slice(claimOf(name, 0).length - 1))),
    );
    const most = Math.max(replicas - 1, ...ordinals);
    return Array.from({ length: most + 1 - replicas }, (_, index) => {
      const ordinal = replicas + index;
      const own = claimTemplates
        .map(({ name }) => claimOf(name, ordinal))
        .filter((claim) => names.has(claim));
      return { pod: `${workload.name}-${ordinal}`, ordinal, claims: own };
    });
  } catch (error) {
    if (error instanceof UserError && error.reason === 'forbidden') return undefined;
    throw error;
  }
}
