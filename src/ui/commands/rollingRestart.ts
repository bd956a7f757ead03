import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { agreed } from '../../operations/servers/agreed.ts';
import { prepareUpgrade } from '../../operations/upgrade.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { restartedText, runPlanned } from '../run/runPlanned.ts';

/** Recreates every pod, one at a time, and each master only after a replica has taken over. */
export async function rollingRestart(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const asked = await asking.cluster();
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.fresh(asked)));
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
  const plan = await prepareUpgrade(access, snapshot, { restartedAt: new Date().toISOString() });
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Restart',
    message: (result) => {
      const { name } = snapshot;
      return restartedText({ done: `Restarted ${name}`, begun: `Started to restart ${name}` }, result);
    },
  });
}
