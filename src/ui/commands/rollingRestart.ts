import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { agreed } from '../../operations/agreed.ts';
import { prepareUpgrade, type Upgraded } from '../../operations/upgrade.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../partToChange.ts';
import { runUpgraded } from '../runUpgraded.ts';
import { answersOf, clusterOf } from '../target.ts';

/** Starts every pod anew, one at a time, each master only after a replica took over. */
export async function rollingRestart(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & Upgraded)> {
  const asked = await clusterOf(parts, argument);
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.fresh(asked)));
  const answers = answersOf(parts, argument);
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
  const plan = await prepareUpgrade(access, snapshot, { restartedAt: new Date().toISOString() });
  return runUpgraded(parts, {
    ...{ plan, access },
    confirmation: confirmationOf(plan, snapshot, answers, answers['cluster'] === undefined),
    verb: 'Restart',
    message: `${snapshot.name} is restarted`,
  });
}
