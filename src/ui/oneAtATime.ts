import { isKubernetesRef } from '../model/clusterRef.ts';
import type { Plan } from '../model/plan.ts';
import { leaseWarning, withLease } from '../operations/lease.ts';
import type { Parts } from './parts.ts';
import { thisWindow } from './thisWindow.ts';
import { waiting } from './waiting.ts';

/** Adds to a plan what the user should know where colleagues cannot be kept out. */
export async function withLeaseWarning<P extends Plan>(parts: Parts, plan: P): Promise<P> {
  if (!isKubernetesRef(plan.ref)) return plan;
  const access = await parts.inventory.access(plan.ref.context);
  const warnings = await leaseWarning(access, plan.ref.namespace);
  return { ...plan, warnings: [...plan.warnings, ...warnings] };
}

/** Works while no colleague's operation runs on the same cluster. Servers outside Kubernetes have no place for a claim. */
export async function asTheOnlyOne<T>(
  parts: Parts,
  { ref, title, operation }: Plan,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!isKubernetesRef(ref)) return await work(signal);
  const access = await parts.inventory.access(ref.context);
  const ports = { access, signal, clock: () => Date.now(), delay: waiting.delay };
  return await withLease(ports, { ref, holder: thisWindow(), title, operation }, work);
}
