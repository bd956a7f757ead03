import type { ClusterSnapshot, PodFacts } from './snapshot.ts';

/** Every pod of the cluster that is known, members' pods and others, each once. */
export function podsOf({ nodes, loosePods, otherParts }: ClusterSnapshot): readonly PodFacts[] {
  const apart = otherParts.flatMap((part) => part.nodes);
  const pods = [...[...nodes, ...apart].flatMap(({ pod }) => pod ?? []), ...loosePods];
  return [...new Map(pods.map((pod) => [pod.uid, pod])).values()];
}

/** Whether a pod has ended for good, as after a shutdown of its Kubernetes node, and nothing replaces it. */
export function hasEnded({ phase, deleting }: Pick<PodFacts, 'phase' | 'deleting'>): boolean {
  return !deleting && (phase === 'Succeeded' || phase === 'Failed');
}
