import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';

/** Stops the sandbox; its data goes with it, as it says from the start. */
export async function stopSandbox(parts: Parts): Promise<Outcome> {
  return (await parts.sandbox.stop())
    ? { outcome: 'done', message: 'The sandbox was stopped and its data removed.' }
    : { outcome: 'refused', message: 'No sandbox of this window is running. Nothing was changed.' };
}
