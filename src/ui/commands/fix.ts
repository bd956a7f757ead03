import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { planFix } from '../../operations/fix.ts';
import { readPossibleOwners, readStrayKeys } from '../../operations/repair/lostFacts.ts';
import { presumedLost } from '../../operations/repair/lost.ts';
import type { PossibleOwnerFacts } from '../../operations/repair/possibleOwners.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { askPods } from '../podAsking.ts';
import { deadIn } from '../questions/target.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { stepsText } from '../run/stepsText.ts';

/**
 * Assigns uncovered slots to masters that answer, and prefers masters that hold keys in them. Where nobody else can say
 * that a silent node is dead, the person who types the cluster's name does.
 */
export async function fix(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const dead = deadIn(asking.answers) ?? (asking.answers['confirmed'] === true ? [] : presumedLost(snapshot));
  const stray = await readStrayKeys(snapshot, await parts.inventory.dialer(snapshot.ref), { dead });
  const plan = planFix(snapshot, stray, await possibleOwnersOf(parts, snapshot), { dead });
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Fix',
    message: (result) =>
      `${snapshot.name}: ${stepsText(plan, result)}${plan.losses.length === 0 ? '' : '. Use “Forget Node…” to remove nodes that are gone for good'}`,
  });
}

/** What runs or is kept beside the members; servers outside Kubernetes are known by their addresses only. */
async function possibleOwnersOf(
  parts: Parts,
  snapshot: ClusterSnapshot,
): Promise<PossibleOwnerFacts | undefined> {
  const { ref } = snapshot;
  if (!isKubernetesRef(ref)) return undefined;
  const access = await parts.inventory.access(ref.context);
  const { credentials } = await parts.inventory.dialer(ref);
  const asking = askPods(access, await parts.adapters.reading(), () => Promise.resolve(credentials));
  try {
    return await readPossibleOwners(snapshot, access, asking.readNode);
  } finally {
    asking.close();
  }
}
