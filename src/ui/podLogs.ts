import type { Pod } from '../kubernetes/apiObjects.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { describeRef } from '../model/clusterRef.ts';
import { podsOf } from '../model/endedPods.ts';
import { UserError } from '../model/errors.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';

/** One log of a pod. */
export interface PodLog {
  readonly container: string;
  /** The log of the run before the last restart. */
  readonly previous: boolean;
}

/** A pod of the cluster by its name. Throws a UserError that names the pods. */
export function podNamed(snapshot: ClusterSnapshot, name: string): PodFacts {
  const pods = podsOf(snapshot);
  const pod = pods.find((one) => one.name === name);
  if (pod !== undefined) return pod;
  const there = pods.map((one) => one.name).join(', ');
  throw new UserError(
    'not-found',
    `${describeRef(snapshot.ref)} has no pod "${name}". ${there === '' ? 'It has no pods.' : `Its pods: ${there}.`}`,
  );
}

/**
 * The logs that a pod has, its server's first: of each container, and of the run before where one was restarted. Only the
 * server's where the pod may not be read.
 */
export async function logsOfPod(
  access: Pick<KubernetesAccess, 'get'>,
  { name, namespace, container }: Pick<PodFacts, 'name' | 'namespace' | 'container'>,
): Promise<readonly PodLog[]> {
  let found: Pod | undefined;
  try {
    found = (await access.get('v1', 'Pod', namespace, name)) as Pod | undefined;
  } catch (error) {
    if (!(error instanceof UserError) || error.reason !== 'forbidden') throw error;
  }
  const { spec, status } = found ?? {};
  const others = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((one) => one.name);
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return [...new Set([container, ...others])].flatMap((one): readonly PodLog[] => {
    const hasPrevious = statuses.some((own) => own.name === one && own.lastState?.terminated !== undefined);
    const log = { container: one, previous: false };
    return hasPrevious ? [log, { ...log, previous: true }] : [log];
  });
}
