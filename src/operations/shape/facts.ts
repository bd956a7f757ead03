import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { UserError } from '../../model/errors.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refuseSeveral } from '../statefulSets/owner.ts';
import { requireRights, scaleRights, type Right } from '../statefulSets/rights.ts';
import { readSet } from '../statefulSets/facts.ts';
import type { DropFacts } from './dropPods.ts';
import { scalable, type ShapeFacts } from '../refusals/shaping.ts';

/** Asks for the rights, and who looks after the StatefulSet. Changes nothing. @param volumes whether any are to be deleted */
export async function readShapeFacts(
  access: KubernetesAccess,
  snapshot: ClusterSnapshot,
  volumes: boolean,
): Promise<ShapeFacts & DropFacts> {
  await refuseSeveral(access, snapshot);
  const { ref, workload } = scalable(snapshot, {});
  const scale: readonly Right[] = [...scaleRights, ['get', 'statefulsets', 'apps']];
  const claims: readonly Right[] = [
    ['get', 'persistentvolumeclaims', ''],
    ['delete', 'persistentvolumeclaims', ''],
  ];
  await requireRights(access, ref.namespace, volumes ? [...scale, ...claims] : scale);
  const { owner, claimTemplates } = await readSet(access, ref.namespace, workload.name);
  const claimUids = volumes ? await readClaimUids(access, ref.namespace) : undefined;
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(claimUids === undefined ? {} : { claimUids }),
    claimTemplates: claimTemplates.map(({ name }) => name),
  };
}

/** Undefined where the user may not list them. */
async function readClaimUids(
  access: KubernetesAccess,
  namespace: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const claims = await access.list('v1', 'PersistentVolumeClaim', namespace);
    return new Map(
      claims.flatMap(({ metadata }) => {
        const { uid } = metadata as { readonly uid?: string };
        return uid === undefined ? [] : [[metadata.name, uid] as const];
      }),
    );
  } catch (error) {
    if (error instanceof UserError && error.reason === 'forbidden') return undefined;
    throw error;
  }
}
