import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { mastersOf } from '../../model/shards.ts';
import { agreed } from '../../operations/agreed.ts';
import { planRemoveShard } from '../../operations/removeShard.ts';
import { confirmationOf } from '../confirmation.ts';
import { moveOptionsIn } from '../moveOptions.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../partToChange.ts';
import { runPlanned } from '../runPlanned.ts';
import { shapeFactsOf } from '../shapeFacts.ts';
import { answersOf, clusterOf, pickNode, rowTarget, textAnswer } from '../target.ts';

/** Gives a shard's slots to the others, takes its nodes out of the cluster, and in Kubernetes ends as many pods. */
export async function removeShard(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.fresh(ref)));
  const answers = answersOf(parts, argument);
  const options = moveOptionsIn(answers);
  const target = rowTarget(parts, argument);
  const given = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const node =
    given ??
    (await pickNode(snapshot, 'The shard of which master is to be removed?', mastersOf(snapshot))).id;
  const volumes = answers['volumes'] === true;
  const facts = await shapeFactsOf(parts, snapshot, volumes);
  const plan = planRemoveShard(snapshot, { node, ...(volumes ? { volumes } : {}), ...options }, facts);
  const isAsked = answers['node'] === undefined || answers['cluster'] === undefined;
  return runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answers, isAsked),
    verb: 'Remove Shard',
    message: ({ movedSlots, movedKeys, seconds }) =>
      `${quantity(movedSlots, 'slot')} with ${quantity(movedKeys, 'key')} went to the other shards; done in ${seconds.toFixed(1)} s`,
  });
}
