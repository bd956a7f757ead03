import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refuseSeveral } from '../owner.ts';
import { requireRights, type Right } from '../rights.ts';
import { readSet } from '../upgrade/facts.ts';
import type { DropFacts } from './dropPods.ts';
import { scalable, type ShapeFacts } from './refusals.ts';

/** Asks for the rights, and who looks after the StatefulSet. Changes nothing. @param volumes whether any are to be deleted */
export async function readShapeFacts(
  access: KubernetesAccess,
  snapshot: ClusterSnapshot,
  volumes: boolean,
): Promise<ShapeFacts & DropFacts> {
  await refuseSeveral(access, snapshot);
  const { ref, workload } = scalable(snapshot, {});
  const scale: readonly Right[] = [
    ['get', 'statefulsets/scale', 'apps'],
    ['patch', 'statefulsets/scale', 'apps'],
    ['get', 'statefulsets', 'apps'],
  ];
  const claims: readonly Right[] = [
    ['get', 'persistentvolumeclaims', ''],
    ['delete', 'persistentvolumeclaims', ''],
  ];
  await requireRights(access, ref.namespace, volumes ? [...scale, ...claims] : scale);
  const { owner, claimTemplates } = await readSet(access, ref.namespace, workload.name);
  return {
    ...(owner === undefined ? {} : { owner }),
    claimTemplates: claimTemplates.map(({ name }) => name),
  };
}
