import type { Progress, Report } from '../../model/progress.ts';
import { countSlots } from '../../model/slots.ts';
import type { Plan } from '../plans/plan.ts';
import type { Batch } from '../steps/batches.ts';
import { actionsOf } from '../steps/index.ts';

/** Adds up what the steps of a batch report, and says which step of how many it is. */
export function batchReports(
  report: Report,
  { steps: all }: Pick<Plan, 'steps'>,
  batch: Batch,
): { begin(steps: Batch): void; of(index: number): Report } {
  const last = new Map<number, Progress>();
  const [first] = batch;
  const whole = batch.length === all.length;
  const place = whole || first === undefined ? '' : `step ${first.index + 1} of ${all.length}: `;
  return {
    begin: (steps) => {
      for (const { index, step } of steps) {
        const { slots } = actionsOf(step).move?.(step) ?? {};
        if (slots !== undefined) last.set(index, { text: '', total: countSlots(slots) });
      }
    },
    of: (index) => (progress) => {
      last.set(index, progress);
      const sum = (figure: 'done' | 'total'): number =>
        [...last.values()].reduce((all, one) => all + (one[figure] ?? 0), 0);
      const paused = [...last.values()].find((one) => one.paused !== undefined)?.paused;
      const figures = progress.total === undefined ? {} : { done: sum('done'), total: sum('total') };
      report({
        ...progress,
        ...figures,
        ...(paused === undefined ? {} : { paused }),
        text: `${place}${progress.text}`,
      });
    },
  };
}
