import { UserError } from '../model/errors.ts';
import type { Answers } from './target.ts';

/** How fast slots are to move, as the fields of a request. Throws a UserError that says which words there are. */
export function paceIn({ pace }: Answers): { readonly pace?: 'gentle' | 'fast' } {
  if (pace === undefined) return {};
  if (pace === 'gentle' || pace === 'fast') return { pace };
  throw new UserError('invalid-input', '"pace" must be "gentle" or "fast".');
}
