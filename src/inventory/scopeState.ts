import { clusterKey } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';

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

/** The scope's cluster of this name. Throws a UserError that lists what is there. */
export function clusterIn(state: ScopeState, namespace: string, name: string): ClusterSnapshot {
  const ref = { context: state.context, namespace, name };
  const found = state.clusters.find((cluster) => clusterKey(cluster.ref) === clusterKey(ref));
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
