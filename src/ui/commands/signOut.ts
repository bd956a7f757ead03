import { signInRefs } from '../../inventory/signIn.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { clusterOf } from '../questions/target.ts';

/** Deletes what a person has signed in with to a cluster. The cluster itself is not changed. */
export async function signOut(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  const { inventory, passwords } = parts;
  const title = inventory.titleOf(ref);
  const refs = signInRefs(inventory.snapshot(ref) ?? { ref, workloads: [] });
  const stored = await Promise.all(refs.map((one) => passwords.stored(one)));
  if (stored.every((one) => one === undefined))
    return { outcome: 'refused', message: `You are not signed in to ${title}. Nothing was changed.` };
  for (const one of refs) await passwords.forget(one);
  await inventory.reconnect(ref);
  void inventory.look(ref).catch(() => undefined);
  return { outcome: 'done', message: `Signed out of ${title}. The stored sign-in was deleted.` };
}
