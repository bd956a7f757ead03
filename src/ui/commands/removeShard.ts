import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import { mastersOf } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { agreed } from '../../operations/servers/agreed.ts';
import { planRemoveShard } from '../../operations/removeShard.ts';
import { Asking } from '../questions/asking.ts';
import { moveOptionsIn } from '../questions/moveOptions.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { shapeFactsOf } from '../shapeFacts.ts';
import { pickNode, textAnswer } from '../questions/target.ts';

/** Moves a shard's slots to the others, removes its nodes from the cluster, and in Kubernetes removes as many pods. */
export async function removeShard(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const ref = await asking.cluster();
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.fresh(ref)));
  const { answers, target } = asking;
  const options = moveOptionsIn(answers);
  const given = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const node = await asking.or(given, () => pickMaster(snapshot));
  const volumes = answers['volumes'] === true;
  const facts = await shapeFactsOf(parts, snapshot, volumes);
  const plan = planRemoveShard(snapshot, { node, ...(volumes ? { volumes } : {}), ...options }, facts);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Remove Shard',
    message: ({ movedSlots, movedKeys, seconds, cancelled }) =>
      `Moved ${quantity(movedSlots, 'slot')} with ${quantity(movedKeys, 'key')} to the other shards${cancelled ? '' : ' and removed the shard'} in ${seconds.toFixed(1)} s`,
  });
}

async function pickMaster(snapshot: ClusterSnapshot): Promise<string> {
  const title = `Remove Shard of ${snapshot.name}`;
  return (await pickNode(snapshot, 'Select the master whose shard to remove', mastersOf(snapshot), title)).id;
}
