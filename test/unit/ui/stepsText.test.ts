import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { stepsText } from '../../../src/ui/run/stepsText.ts';

test('what was already done is not said to be done now', () => {
  const text = (count: number, steps: number, skipped: number): string => {
    const plan = { steps: Array.from({ length: count }, () => ({ kind: 'joinNodes', text: '' })) };
    return stepsText(plan as unknown as Plan, { steps, skipped, seconds: 0.1 });
  };
  assert.equal(text(1, 1, 1), 'Nothing to do: the only step was already done');
  assert.equal(text(2, 2, 2), 'Nothing to do: both steps were already done');
  assert.equal(text(3, 3, 3), 'Nothing to do: all 3 steps were already done');
  assert.equal(text(3, 3, 1), '3 of 3 steps done in 0.1 s; 1 step was already done');
  assert.equal(text(4, 4, 2), '4 of 4 steps done in 0.1 s; 2 steps were already done');
  assert.equal(text(1, 1, 0), '1 of 1 step done in 0.1 s');
  assert.equal(text(3, 1, 0), '1 of 3 steps done in 0.1 s');
});
