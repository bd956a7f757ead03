import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/planResult.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { openPlanFile } from '../planFiles.ts';
import { runPlanned } from '../runPlanned.ts';
import { answersOf } from '../target.ts';

/** Runs a saved plan, where the cluster is still as the plan found it. It may be anybody's, so it always asks. */
export async function runPlan(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & PlanResult)> {
  const { plan, snapshot } = await openPlanFile(parts, argument);
  return runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answersOf(parts, argument), true),
    verb: 'Run',
    message: ({ steps, seconds }) =>
      `${steps} of ${quantity(plan.steps.length, 'step')} of the saved plan are done, in ${seconds.toFixed(1)} s`,
  });
}
