import type { Pod } from '../../kubernetes/apiObjects.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { UserError } from '../../model/errors.ts';
import type { PodFacts } from '../../model/snapshot.ts';

/**
 * Throws a UserError `not-found` where another pod has the name by now, or where it has another address: its server may
 * be another one. Who may not read pods one by one is not kept from what the API allows under that name.
 */
export async function confirmPod(
  access: Pick<KubernetesAccess, 'get'>,
  { name, namespace, uid, ip }: Pick<PodFacts, 'name' | 'namespace' | 'uid' | 'ip'>,
): Promise<void> {
  let found: Pod | undefined;
  try {
    found = (await access.get('v1', 'Pod', namespace, name)) as Pod | undefined;
  } catch (error) {
    if (error instanceof UserError && error.reason === 'forbidden') return;
    throw error;
  }
  if (found?.metadata?.uid === uid && (ip === undefined || found.status?.podIP === ip)) return;
  const why = found === undefined ? 'is gone' : 'was replaced';
  throw new UserError('not-found', `Pod ${name} ${why}. Nothing was changed there. Refresh, and try again.`);
}
