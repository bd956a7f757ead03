import { setTimeout as sleep } from 'node:timers/promises';
import { agrees } from '../checks/agreement.ts';
import type { ClusterRef } from '../model/clusterRef.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type { Parts } from './parts.ts';

/** Replicas hear of a change by gossip: nodes that differ are asked again for this long before it is called a fault. */
const agreementWithinMs = 3_000;
const betweenReadingsMs = 300;

/**
 * What every node says now, for whoever calls a disagreement a fault: just after an operation the replicas do not know
 * all of it yet, and the next one would be refused for a cluster that is well a second later.
 */
export async function settled(parts: Parts, ref: ClusterRef): Promise<ClusterSnapshot> {
  const end = Date.now() + agreementWithinMs;
  for (;;) {
    const snapshot = await parts.inventory.fresh(ref);
    if (agrees(snapshot) || Date.now() > end) return snapshot;
    await sleep(betweenReadingsMs);
  }
}
