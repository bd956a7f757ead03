import type { Outcome } from '../../model/outcome.ts';
import { planHeal } from '../../operations/heal.ts';
import { readHealFacts } from '../../operations/repair/openFacts.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { stepsText } from '../run/stepsText.ts';

/** Introduces nodes to each other that have lost each other's address, and repairs what interrupted moves of slots left. */
export async function heal(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const facts = await readHealFacts(snapshot, await parts.inventory.dialer(snapshot.ref));
  const plan = planHeal(snapshot, facts);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Heal',
    message: (result) => stepsText(plan, result),
  });
}
