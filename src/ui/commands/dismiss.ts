import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { dismissUnfinished } from '../run/unfinished.ts';
import { unfinishedOf } from '../run/unfinishedTarget.ts';

/** Stops offering an unfinished operation; changes nothing. */
export async function dismiss(parts: Parts, argument: unknown): Promise<Outcome> {
  return dismissUnfinished(parts, await unfinishedOf(parts, argument));
}
