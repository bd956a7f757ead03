import { isKubernetesRef } from '../model/clusterRef.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { readShapeFacts } from '../operations/shape/facts.ts';
import type { Parts } from './parts.ts';

/** What Kubernetes says before a cluster grows or shrinks; nothing is asked of it for clusters by address. */
export async function shapeFactsOf(
  parts: Parts,
  snapshot: ClusterSnapshot,
  volumes: boolean,
): ReturnType<typeof readShapeFacts> {
  const { ref } = snapshot;
  if (!isKubernetesRef(ref)) return {};
  return await readShapeFacts(await parts.inventory.access(ref.context), snapshot, volumes);
}
