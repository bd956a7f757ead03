import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { dismissUnfinished } from '../unfinished.ts';
import { unfinishedOf } from '../unfinishedTarget.ts';

/** Stops offering an unfinished operation; changes nothing. */
export async function dismiss(parts: Parts, argument: unknown): Promise<Outcome> {
  return dismissUnfinished(parts, await unfinishedOf(parts, argument));
}
