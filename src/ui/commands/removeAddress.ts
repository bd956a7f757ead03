import { clusterKey, formatAddress, isKubernetesRef, parseAddress } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { readSettings, saveAddresses } from '../settings.ts';
import { clusterOf } from '../target.ts';

/** Takes a cluster outside Kubernetes out of the tree and forgets its password. The cluster is left as it is. */
export async function removeAddress(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  if (isKubernetesRef(ref)) {
    throw new UserError(
      'invalid-input',
      `${ref.name} is in Kubernetes: it is in the tree as long as it exists there.`,
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
    message: `${ref.addresses.join(', ')} is no longer in the tree. Nothing else was changed.`,
  };
}
