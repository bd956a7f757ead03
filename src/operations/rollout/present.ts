import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { readSet } from '../statefulSets/facts.ts';
import { onlyStatefulSet } from '../refusals/changingPods.ts';

/** What an upgrade could change, as it is: what a question about it begins with. */
export interface Present {
  readonly image: string;
  /** The server's memory limit; absent where it has none. */
  readonly memory?: string;
  /** What each new volume holds; absent where the pods have none. */
  readonly storage?: string;
}

/** Throws a UserError where the cluster is none that can be upgraded, so that nobody is asked in vain. */
export async function readPresent(access: KubernetesAccess, snapshot: ClusterSnapshot): Promise<Present> {
  const { ref, workload } = onlyStatefulSet(snapshot, 'Upgrade');
  const { containers, claimTemplates } = await readSet(access, ref.namespace, workload.name);
  const server = snapshot.nodes.find((node) => node.pod !== undefined)?.pod?.container;
  const { image = '', memory } = containers.find(({ name }) => name === server) ?? {};
  const storage = claimTemplates[0]?.storage;
  return {
    image,
    ...(memory === undefined ? {} : { memory }),
    ...(storage === undefined ? {} : { storage }),
  };
}
