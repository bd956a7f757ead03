import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { planReplacePods } from '../../operations/replacePods.ts';
import { requireRights } from '../../operations/statefulSets/rights.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { textAnswer } from '../questions/target.ts';

/** Deletes pods that have ended and are not replaced by themselves, so that their StatefulSet creates them again. */
export async function replacePod(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.look(await asking.cluster());
  const pod = textAnswer(asking.answers, 'pod');
  const plan = planReplacePods(snapshot, pod === undefined ? {} : { pod });
  const { ref } = snapshot;
  if (isKubernetesRef(ref)) {
    await requireRights(await parts.inventory.access(ref.context), ref.namespace, [['delete', 'pods', '']]);
  }
  return runPlanned(parts, {
    plan,
    asking,
    verb: `Replace ${quantity(plan.steps.length, 'Pod')}`,
    evenUnread: true,
    message: ({ steps, seconds }) => `Replaced ${quantity(steps, 'pod')} in ${seconds.toFixed(1)} s`,
  });
}
