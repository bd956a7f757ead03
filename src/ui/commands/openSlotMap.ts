import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { clusterOf } from '../target.ts';

/** Opens the map of the cluster's 16,384 hash slots. */
export async function openSlotMap(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  await parts.openSlotMap(ref);
  return { outcome: 'done', message: `The slot map of ${parts.inventory.titleOf(ref)} is open.` };
}
