import type { Plan } from '../../operations/plans/plan.ts';
import { quantity } from '../../model/quantity.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';

/** How many steps of a plan are done, as a sentence without its end; says so where nothing was left to do. */
export function stepsText(
  { steps }: Plan,
  result: Pick<PlanResult, 'steps' | 'skipped' | 'seconds'>,
): string {
  const { steps: done, skipped, seconds } = result;
  if (skipped > 0 && skipped === steps.length) return `Nothing to do: ${allOf(skipped)} already done`;
  const before =
    skipped === 0
      ? ''
      : `; ${skipped === 1 ? '1 step was' : `${quantity(skipped, 'step')} were`} already done`;
  return `${done.toLocaleString('en-US')} of ${quantity(steps.length, 'step')} done in ${seconds.toFixed(1)} s${before}`;
}

function allOf(count: number): string {
  if (count === 1) return 'the only step was';
  return count === 2 ? 'both steps were' : `all ${quantity(count, 'step')} were`;
}
