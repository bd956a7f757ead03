import { clusterKey, isKubernetesRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { commonName } from './units.ts';

/** What is known of one scope: a namespace, or all namespaces of a context where `namespace` is undefined. */
export interface ScopeState {
  readonly context: string;
  readonly namespace: string | undefined;
  /** False until the first round has ended. */
  readonly read: boolean;
  readonly clusters: readonly ClusterSnapshot[];
  /** Why the API could not be asked; what is shown then is what the servers say. */
  readonly problem?: Error;
}

/**
 * The cluster of a reference. Besides its name, one that only it could mean leads to it: that of a workload of it, or what
 * its workloads' names have in common, by which it was called before its operator's label was known.
 */
export function findCluster(
  clusters: readonly ClusterSnapshot[],
  ref: KubernetesClusterRef,
): ClusterSnapshot | undefined {
  const exact = clusters.find((cluster) => clusterKey(cluster.ref) === clusterKey(ref));
  if (exact !== undefined) return exact;
  const [meant, ...others] = clusters.filter(({ ref: own, workloads }) => {
    if (!isKubernetesRef(own) || own.context !== ref.context || own.namespace !== ref.namespace) return false;
    const names = workloads.map(({ name }) => name);
    return names.length > 0 && (names.includes(ref.name) || commonName(names) === ref.name);
  });
  return others.length > 0 ? undefined : meant;
}

/** The scope's cluster of this name. Throws a UserError that lists what is there. */
export function clusterIn(state: ScopeState, namespace: string, name: string): ClusterSnapshot {
  const ref = { context: state.context, namespace, name };
  const found = findCluster(state.clusters, ref);
  if (found !== undefined) return found;
  if (state.problem !== undefined) throw state.problem;
  const names = state.clusters.flatMap((c) =>
    'namespace' in c.ref && c.ref.namespace === namespace ? c.name : [],
  );
  const there =
    names.length === 0 ? 'No Redis Cluster was found there.' : `Found there: ${names.join(', ')}.`;
  throw new UserError(
    'not-found',
    `There is no Redis Cluster ${name} in namespace ${namespace} of context ${state.context}. ${there}`,
  );
}
