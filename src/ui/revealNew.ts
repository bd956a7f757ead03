import { claimOf } from '../inventory/claims.ts';
import type { ClusterRef } from '../model/clusterRef.ts';
import { pause } from '../model/pause.ts';
import type { Parts } from './parts.ts';

const everyMs = 200;
/** A context that was collapsed is read first. */
const limitMs = 15_000;

/**
 * Selects the row of a cluster that has just been deployed, added or started, as soon as it has one. Opens the view only
 * where a person is looking for the cluster; commands with all answers leave the side bar alone.
 */
export async function revealNew(parts: Parts, ref: ClusterRef, isPerson: boolean): Promise<void> {
  const { tree, inventory, log } = parts;
  if (!isPerson && !tree.view.visible) return;
  const release = inventory.need(claimOf(ref));
  try {
    const end = performance.now() + limitMs;
    while (performance.now() < end) {
      if (await tree.reveal(ref, undefined, { focus: false })) return;
      await pause(everyMs);
    }
  } catch (error) {
    log.debug(`The new cluster could not be revealed: ${String(error)}`);
  } finally {
    release();
  }
}
