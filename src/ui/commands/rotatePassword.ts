import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { prepareRotation } from '../../operations/rotatePassword.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { stepsText } from '../run/stepsText.ts';

/** Gives all servers of a cluster a new password, without a restart. */
export async function rotatePassword(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
  const plan = await prepareRotation(access, snapshot);
  return runPlanned(parts, {
    ...{ plan, asking, verb: 'Rotate Password' },
    message: (result) =>
      result.cancelled
        ? stepsText(plan, result)
        : `${snapshot.name}: all servers have the new password and no other, after ${result.seconds.toFixed(0)} s`,
  });
}
