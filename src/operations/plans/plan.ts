import type { ClusterRef } from '../../model/clusterRef.ts';
import { formatSlots, unionSlots, type SlotSet } from '../../model/slots.ts';
import type { Step } from '../steps/index.ts';

/** A change to a cluster, shown before it runs: its steps say all it takes to run them, and `runPlan` does. */
export interface Plan {
  readonly title: string;
  readonly ref: ClusterRef;
  /** The command that makes such plans, without `redisCluster.`. */
  readonly operation: string;
  /** What that command was asked, as plain JSON, so that the plan can be saved and made again. Never a secret. */
  readonly request: object;
  readonly steps: readonly Step[];
  /** What a person should know before saying yes; not a reason to refuse. */
  readonly warnings: readonly string[];
  /** What will be gone afterwards; a plan with losses asks for a typed word. */
  readonly losses: readonly string[];
}

/** The slots that a plan's steps name; undefined where they name none, and the run itself decides which it opens. */
export function slotsOf({ steps }: Pick<Plan, 'steps'>): SlotSet | undefined {
  const named = steps.flatMap((step) => ('slots' in step ? [step.slots] : []));
  return named.length === 0 ? undefined : unionSlots(...named);
}

/** What a plan's file and its journal both say of it: only what every plan has, with slots as people write them. */
export function plainPlan({ title, ref, operation, request, steps, warnings, losses }: Plan): object {
  const plain = steps.map((step) => ('slots' in step ? { ...step, slots: formatSlots(step.slots) } : step));
  return { title, cluster: ref, operation, request, warnings, losses, steps: plain };
}
