import type { Outcome } from '../../model/outcome.ts';
import { planForget } from '../../operations/forget.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { stepsText } from '../run/stepsText.ts';
import { textAnswer } from '../questions/target.ts';

/** Makes all nodes forget one node that is gone for good, or all unknown nodes. */
export async function forget(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const { answers, target } = asking;
  const node = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const plan = planForget(snapshot, node === undefined ? {} : { node });
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Forget',
    message: (result) => `${stepsText(plan, result)}; no node that answers lists a forgotten node any more`,
  });
}
