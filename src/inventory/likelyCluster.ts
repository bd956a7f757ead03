import type { Candidate } from '../kubernetes/kubernetesAccess.ts';
import type { Group } from './grouping.ts';

/** The fewest masters that a cluster elects by. */
const fewestServers = 3;

/**
 * Whether workloads of which no server has said anything are shown, with the reason why they cannot be read. Where their
 * pods' spec calls them a cluster they are, and where it may be one, unless they are too few: a server that demands a
 * password or is down says nothing, and a cluster that is missing costs more than a row too many. A server that answers
 * that it is in no cluster settles it.
 */
export function isLikelyCluster(
  { sources, workloads }: Pick<Group, 'sources' | 'workloads'>,
  candidates: readonly Pick<Candidate, 'clusterSign'>[],
): boolean {
  if (sources.some(({ reading }) => reading.notClustered === true)) return false;
  const signs = candidates.map(({ clusterSign }) => clusterSign);
  if (signs.includes('clear') || workloads.some(({ name }) => /cluster/i.test(name))) return true;
  const haveFailed = sources.every(({ reading }) => reading.failure !== undefined);
  const servers = Math.max(sources.length, ...workloads.map(({ replicas }) => replicas));
  return haveFailed && signs.includes('possible') && servers >= fewestServers;
}
