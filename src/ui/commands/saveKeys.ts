import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { planSaveKeys, readLastSaves } from '../../operations/saveKeys.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';

/** Makes every master write its keys to its disk, such as before maintenance. */
export async function saveKeys(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const dialer = await parts.inventory.dialer(snapshot.ref);
  return runPlanned(parts, {
    plan: planSaveKeys(snapshot, await readLastSaves(snapshot, dialer)),
    asking,
    verb: 'Save Keys',
    message: ({ steps, seconds, cancelled }) =>
      cancelled
        ? 'Not all masters saved their keys'
        : `${snapshot.name}: ${quantity(steps, 'master')} saved to disk in ${seconds.toFixed(1)} s`,
  });
}
