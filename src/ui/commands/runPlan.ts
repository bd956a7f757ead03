import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/planResult.ts';
import { Asking } from '../asking.ts';
import type { Parts } from '../parts.ts';
import { openPlanFile } from '../planFiles.ts';
import { runPlanned } from '../runPlanned.ts';
import { stepsText } from '../stepsText.ts';

/** Runs a saved plan if the cluster is still as the plan found it. Somebody else may have made it, so it always asks. */
export async function runPlan(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument).always();
  const { plan } = await openPlanFile(parts, argument);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Run',
    message: (result) => `Saved plan: ${stepsText(plan, result)}`,
  });
}
