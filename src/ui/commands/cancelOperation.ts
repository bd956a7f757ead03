import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { clusterOf } from '../questions/target.ts';

/** Cancels the operation that runs on a cluster: it stops at its next safe point. */
export async function cancelOperation(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  return parts.operations.cancel(ref)
    ? { outcome: 'done', message: 'The operation stops at its next safe point.' }
    : { outcome: 'refused', message: 'No operation is running on this cluster.' };
}
