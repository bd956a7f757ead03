import type { StepKind } from '../../model/plan.ts';
import { moveSlots } from './moveSlots.ts';
import type { StepRun } from './step.ts';

/** How each kind of step is run. Kinds that are missing are run by their operation itself. */
export type StepRuns = { readonly [K in StepKind]?: StepRun<K> };

export const stepRuns: StepRuns = { moveSlots };
