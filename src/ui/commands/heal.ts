import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { planHeal } from '../../operations/heal.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../runPlanned.ts';
import { answersOf, clusterOf } from '../target.ts';

/** Introduces nodes to each other that have lost each other's address, and finishes moves that were interrupted. */
export async function heal(parts: Parts, argument: unknown): Promise<Outcome> {
  const snapshot = await parts.inventory.fresh(await clusterOf(parts, argument));
  const answers = answersOf(parts, argument);
  const plan = planHeal(snapshot);
  return runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answers, answers['cluster'] === undefined),
    verb: 'Heal',
    message: ({ steps, seconds }) =>
      `${steps} of ${quantity(plan.steps.length, 'step')} done in ${seconds.toFixed(1)} s`,
  });
}
