import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planSaveKeys } from '../../../src/operations/saveKeys.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));

test('every master saves its keys, one after the other, and a save later than its last one counts', () => {
  const plan = planSaveKeys(whole, new Map(['m0', 'm1', 'm2'].map((id, index) => [id, 100 + index])));
  assert.deepEqual(
    plan.steps.map((step) => (step.kind === 'saveKeys' ? [step.node, step.before, step.text] : step.kind)),
    [
      ['m0', 100, 'Save the keys of cart-0 to its disk'],
      ['m1', 101, 'Save the keys of cart-1 to its disk'],
      ['m2', 102, 'Save the keys of cart-2 to its disk'],
    ],
  );
});

test('a master that was not asked is named', () => {
  assert.throws(() => planSaveKeys(whole, new Map([['m0', 1]])), /cart-1 does not answer\. Nothing was/);
});
