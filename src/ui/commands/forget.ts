import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { planForget } from '../../operations/forget.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../partToChange.ts';
import { runPlanned } from '../runPlanned.ts';
import { answersOf, clusterOf, rowTarget, textAnswer } from '../target.ts';

/** Lets all nodes forget one that is gone for good, or all that are listed and nobody runs. */
export async function forget(parts: Parts, argument: unknown): Promise<Outcome> {
  const snapshot = await toChange(
    parts,
    argument,
    await parts.inventory.fresh(await clusterOf(parts, argument)),
  );
  const answers = answersOf(parts, argument);
  const target = rowTarget(parts, argument);
  const node = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const plan = planForget(snapshot, node === undefined ? {} : { node });
  return runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answers, answers['cluster'] === undefined),
    verb: 'Forget',
    message: ({ steps }) =>
      `${steps} of ${quantity(plan.steps.length, 'step')} done; no node that answers lists what was forgotten`,
  });
}
