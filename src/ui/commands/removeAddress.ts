import { clusterKey, formatAddress, isKubernetesRef, parseAddress } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { readSettings, saveAddresses } from '../settings.ts';
import { clusterOf } from '../questions/target.ts';

/** Removes a cluster outside Kubernetes from the tree and deletes its stored password. The cluster itself is not changed. */
export async function removeAddress(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  if (isKubernetesRef(ref)) {
    throw new UserError(
      'invalid-input',
      `${ref.name} is in Kubernetes and stays in the tree as long as it exists there. Use “Delete Cluster…” to delete it.`,
    );
  }
  const { addresses } = readSettings();
  const same = (entry: string): boolean =>
    clusterKey({ addresses: entry.split(',').map((address) => formatAddress(parseAddress(address))) }) ===
    clusterKey(ref);
  await saveAddresses(addresses.filter((entry) => !same(entry)));
  await parts.passwords.forget(ref);
  await parts.reloadSources();
  return {
    outcome: 'done',
    message: `Removed ${ref.addresses.join(', ')} from the tree. Nothing else was changed.`,
  };
}
