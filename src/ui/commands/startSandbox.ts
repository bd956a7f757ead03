import type { AddressClusterRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';

/** Starts the sandbox, a real cluster of six servers on this machine; reports its addresses if it runs already. */
export async function startSandbox(parts: Parts): Promise<Outcome & { cluster: AddressClusterRef }> {
  const cluster = await parts.sandbox.start();
  return { outcome: 'done', message: `The sandbox is running at ${cluster.addresses.join(', ')}.`, cluster };
}
