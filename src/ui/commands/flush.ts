import type { Outcome } from '../../model/outcome.ts';
import { planFlush } from '../../operations/flush.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';

/** Deletes every key of a cluster, after its name was typed. */
export async function flush(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const plan = planFlush(snapshot);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Flush',
    message: ({ seconds, cancelled }) =>
      cancelled ? 'Not all masters were flushed' : `Flushed ${snapshot.name} in ${seconds.toFixed(1)} s`,
  });
}
