import { agrees } from '../../checks/agreement.ts';
import { isSettling } from '../../checks/mutual.ts';
import { pause } from '../../model/pause.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';

/** Replicas hear of a change by gossip: nodes that differ are asked again for this long before it is called a fault. */
const agreementWithinMs = 3_000;
/** As long, where members do not know each other or each other's roles yet: a heartbeat may take half the node timeout. */
const settlingWithinMs = 11_000;
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
  const began = performance.now();
  for (;;) {
    const snapshot = await read();
    const waited = performance.now() - began;
    const differs = !agrees(snapshot) && waited <= withinMs;
    if (!differs && !(isSettling(snapshot) && waited <= Math.max(withinMs, settlingWithinMs)))
      return snapshot;
    await pause(betweenReadingsMs);
  }
}
