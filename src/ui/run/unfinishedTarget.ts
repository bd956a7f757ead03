import { describeRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Unfinished } from '../../operations/run/journal.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf, rowTarget, textAnswer } from '../questions/target.ts';

/** The unfinished operation a row stands for, the one that is named, or the newest of the cluster. Throws a UserError where there is none. */
export async function unfinishedOf(parts: Parts, argument: unknown): Promise<Unfinished> {
  const target = rowTarget(parts, argument);
  const ref = await clusterOf(parts, argument);
  const id =
    target?.kind === 'unfinished' ? target.journal : textAnswer(answersOf(parts, argument), 'journal');
  const found = parts.unfinished.of(ref).find((one) => id === undefined || one.id === id);
  if (found !== undefined) return found;
  throw new UserError(
    'not-found',
    `No unfinished operation of ${describeRef(ref)} was found. Nothing was changed.`,
  );
}
