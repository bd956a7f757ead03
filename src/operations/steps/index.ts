import type { StepKind } from '../../model/plan.ts';
import { forget } from './forget.ts';
import { meet } from './meet.ts';
import { moveSlots } from './moveSlots.ts';
import { promote } from './promote.ts';
import { replicate } from './replicate.ts';
import { resetNode } from './resetNode.ts';
import type { StepRun } from './step.ts';

/** How each kind of step is run. Kinds that are missing are run by their operation itself. */
export type StepRuns = { readonly [K in StepKind]?: StepRun<K> };

export const stepRuns: StepRuns = { forget, meet, moveSlots, promote, replicate, resetNode };
