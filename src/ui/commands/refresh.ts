import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';

/** Reads kubeconfigs, pods and servers again now, including those that have just failed. */
export async function refresh(parts: Parts): Promise<Outcome> {
  await parts.reloadSources();
  await parts.inventory.refresh();
  return { outcome: 'done', message: 'Refreshed everything in view.' };
}
