import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { showUnfinished as showJournal } from '../run/unfinished.ts';
import { unfinishedOf } from '../run/unfinishedTarget.ts';

/** Shows what was done of an operation that was not finished. */
export async function showUnfinished(parts: Parts, argument: unknown): Promise<Outcome> {
  return showJournal(parts, await unfinishedOf(parts, argument));
}
