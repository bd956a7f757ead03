import { StoppedError, type UserError, type UserErrorReason } from './errors.ts';

/**
 * How a command ended. Every command's result is plain JSON and has these two fields. `refused`: nothing was begun.
 * `failed`: nothing is known to have been done. `partial`: a part was done and stays, and the rest was refused or failed.
 */
export interface Outcome {
  readonly outcome: 'done' | 'cancelled' | 'partial' | 'refused' | 'failed';
  readonly message: string;
}

/** Reasons that mean that nothing was begun, unless the error says that something was. */
const refusals: ReadonlySet<UserErrorReason> = new Set([
  'invalid-input',
  'nothing-to-do',
  'not-found',
  'already-exists',
  'conflict',
  'not-clustered',
  'unsafe',
  'busy',
]);

/** How a command ended that threw this error. */
export function outcomeOf(error: UserError): 'partial' | 'refused' | 'failed' {
  if (error instanceof StoppedError) return error.changed ? 'partial' : 'failed';
  return refusals.has(error.reason) ? 'refused' : 'failed';
}
