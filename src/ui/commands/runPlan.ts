import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { openPlanFile } from '../run/planFiles.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { stepsText } from '../run/stepsText.ts';

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
