import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot, PodFacts, RedisNode } from '../../model/snapshot.ts';
import { answers } from '../nodes.ts';

/**
 * What proves that a node's server does not run any more, in Kubernetes' own words; undefined where nothing does. A
 * server that merely does not answer may still be serving clients on the other side of a broken network.
 */
export function proofOfDeath(snapshot: ClusterSnapshot, node: RedisNode): string | undefined {
  if (!isKubernetesRef(snapshot.ref) || snapshot.apiProblem !== undefined || answers(node)) return undefined;
  if (node.pod !== undefined) return endOf(node.pod);
  const name = podNameOf(snapshot, node.id);
  if (name === undefined) return undefined;
  const holder = snapshot.nodes.find((other) => other.pod?.name === name);
  if (holder !== undefined) {
    return holder.view === undefined ? undefined : `pod ${name} runs another node now (${holder.id})`;
  }
  const loose = snapshot.loosePods.find((pod) => pod.name === name);
  return loose === undefined ? `pod ${name} is gone` : endOf(loose);
}

function endOf({ name, container, ended }: PodFacts): string | undefined {
  return ended === true ? `container ${container} of pod ${name} has ended` : undefined;
}

/** The pod that a silent node ran in, by the name it announced to its peers. */
export function podNameOf(snapshot: ClusterSnapshot, id: string): string | undefined {
  for (const { view } of snapshot.nodes) {
    const hostname = view?.others.find((line) => line.id === id)?.hostname;
    if (hostname !== undefined && hostname !== '') return hostname.split('.')[0];
  }
  return undefined;
}
