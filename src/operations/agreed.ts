import { setTimeout as sleep } from 'node:timers/promises';
import { agrees } from '../checks/agreement.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';

/** Replicas hear of a change by gossip: nodes that differ are asked again for this long before it is called a fault. */
const agreementWithinMs = 3_000;
const betweenReadingsMs = 200;

/**
 * What every node says now, for whoever calls a disagreement a fault: just after an operation the replicas do not know
 * all of it yet, and the next one would be refused for a cluster that is well a second later. Resolves with the last
 * reading when the time is up, whatever it says.
 */
export async function agreed(
  read: () => Promise<ClusterSnapshot>,
  withinMs = agreementWithinMs,
): Promise<ClusterSnapshot> {
  const end = performance.now() + withinMs;
  for (;;) {
    const snapshot = await read();
    if (agrees(snapshot) || performance.now() > end) return snapshot;
    await sleep(betweenReadingsMs);
  }
}
