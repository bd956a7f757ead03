import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import { stepKinds } from '../../operations/steps/index.ts';
import { leaseWarning, withLease } from '../../operations/run/lease.ts';
import { operatorOf } from '../../operations/statefulSets/owner.ts';
import type { Parts } from '../parts.ts';
import { thisWindow } from '../thisWindow.ts';
import { viaExecText } from '../tree/row.ts';
import { waiting } from './waiting.ts';

/** Adds to a plan what the user should know where colleagues cannot be kept out. */
export async function withLeaseWarning<P extends Plan>(parts: Parts, plan: P): Promise<P> {
  if (!isKubernetesRef(plan.ref)) return plan;
  const access = await parts.inventory.access(plan.ref.context);
  const warnings = await leaseWarning(access, plan.ref.namespace);
  return { ...plan, warnings: [...plan.warnings, ...warnings] };
}

/** Adds to a plan that servers are reached in the slower way, since the right to the other one is missing. */
export function withExecNote<P extends Plan>({ inventory }: Parts, plan: P): P {
  const nodes = inventory.snapshot(plan.ref)?.nodes ?? [];
  if (!nodes.some(({ viaExec }) => viaExec === true)) return plan;
  return { ...plan, warnings: [...plan.warnings, `${viaExecText}.`] };
}

/** Adds to a plan that an operator looks after the cluster, where it does and may undo what the plan does. */
export async function withOperatorWarning<P extends Plan>(parts: Parts, plan: P): Promise<P> {
  const { ref, steps } = plan;
  if (!isKubernetesRef(ref) || !steps.some(({ kind }) => stepKinds[kind].mayBeUndone)) return plan;
  const pod = parts.inventory.snapshot(ref)?.nodes.find((node) => node.pod !== undefined)?.pod;
  if (pod === undefined) return plan;
  const access = await parts.inventory.access(ref.context);
  const operator = await operatorOf(access, pod.namespace, pod.name);
  if (operator === undefined) return plan;
  const warning = `The operator of ${operator} manages this cluster and may undo the change.`;
  return { ...plan, warnings: [...plan.warnings, warning] };
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
