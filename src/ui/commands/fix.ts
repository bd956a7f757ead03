import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { planFix } from '../../operations/fix.ts';
import { readStrayKeys } from '../../operations/fix/facts.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../partToChange.ts';
import { runPlanned } from '../runPlanned.ts';
import { answersOf, clusterOf } from '../target.ts';

/** Assigns slots that nobody serves any more to masters that answer; those that hold keys in them come first. */
export async function fix(parts: Parts, argument: unknown): Promise<Outcome> {
  const snapshot = await toChange(
    parts,
    argument,
    await parts.inventory.fresh(await clusterOf(parts, argument)),
  );
  const answers = answersOf(parts, argument);
  const stray = await readStrayKeys(snapshot, await parts.inventory.dialer(snapshot.ref));
  const plan = planFix(snapshot, stray);
  return runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answers, answers['cluster'] === undefined),
    verb: 'Fix',
    message: ({ steps, seconds }) =>
      `${snapshot.name}: ${steps} of ${quantity(plan.steps.length, 'step')} done in ${seconds.toFixed(1)} s${plan.losses.length === 0 ? '' : '. “Forget Node…” takes what is gone for good out of the cluster'}`,
  });
}
