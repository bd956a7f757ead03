import type { Outcome } from '../../model/outcome.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { resume as resumeJournal } from '../run/unfinished.ts';
import { unfinishedOf } from '../run/unfinishedTarget.ts';

/** Continues an operation that was not finished where it stopped. */
export async function resume(parts: Parts, argument: unknown): Promise<Outcome> {
  return resumeJournal(parts, await unfinishedOf(parts, argument), new Asking(parts, argument));
}
