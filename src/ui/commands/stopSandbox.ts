import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';

/** Stops the sandbox and deletes its data. */
export async function stopSandbox(parts: Parts): Promise<Outcome> {
  return (await parts.sandbox.stop())
    ? { outcome: 'done', message: 'The sandbox was stopped and its data was deleted.' }
    : { outcome: 'refused', message: 'No sandbox is running in this window. Nothing was changed.' };
}
