import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';

/** Reads kubeconfigs, pods and servers again now, those too that have just failed. */
export async function refresh(parts: Parts): Promise<Outcome> {
  await parts.reloadSources();
  await parts.inventory.refresh();
  return { outcome: 'done', message: 'Everything in view was read again.' };
}
