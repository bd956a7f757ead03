import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { WorkloadFacts } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import type { OwnedMetadata } from '../statefulSets/owner.ts';

/** Throws a UserError where an operator owns the pods' StatefulSet: it forms the cluster, and would work against this. */
export async function refuseOperated(
  access: Pick<KubernetesAccess, 'may' | 'get'>,
  namespace: string,
  workloads: readonly WorkloadFacts[],
): Promise<void> {
  if (!(await access.may('get', 'statefulsets', 'apps', namespace))) return;
  for (const { kind, name } of workloads) {
    if (kind !== 'StatefulSet') continue;
    const object = await access.get('apps/v1', 'StatefulSet', namespace, name);
    const metadata: OwnedMetadata = object?.metadata ?? {};
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) continue;
    throw refusal(
      'unsafe',
      `StatefulSet ${name} belongs to ${owner.kind} “${owner.name}”, whose operator forms the cluster itself. Look at the operator’s logs.`,
    );
  }
}
