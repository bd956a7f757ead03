import type { Outcome } from '../../model/outcome.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { repair as repairJournal } from '../run/unfinished.ts';
import { unfinishedOf } from '../run/unfinishedTarget.ts';

/** Completes only the half-finished steps of an operation that was not finished. */
export async function repair(parts: Parts, argument: unknown): Promise<Outcome> {
  return repairJournal(parts, await unfinishedOf(parts, argument), new Asking(parts, argument));
}
