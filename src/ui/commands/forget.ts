import type { Outcome } from '../../model/outcome.ts';
import { planForget } from '../../operations/forget.ts';
import { Asking } from '../asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../partToChange.ts';
import { runPlanned } from '../runPlanned.ts';
import { stepsText } from '../stepsText.ts';
import { textAnswer } from '../target.ts';

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
