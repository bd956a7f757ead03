import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { SlotSet } from '../../../src/model/slots.ts';
import { planReshard, type ReshardRequest } from '../../../src/operations/reshard.ts';
import { planRemainder, remainderOf } from '../../../src/operations/reshardRemainder.ts';
import { sketchOf } from './sketch.ts';

type PastRun = Parameters<typeof remainderOf>[0][number];

const now = Date.parse('2030-01-02T00:00:00Z');
const hour = 3_600_000;
const masters = (a: SlotSet, b: SlotSet): ClusterSnapshot =>
  sketchOf({ a: { slots: a }, b: { slots: b }, c: { slots: [[10_000, 16_383]] } });

const before = masters([[0, 4999]], [[5000, 9999]]);
const request: ReshardRequest = { from: ['a'], to: 'b', slots: 1000 };
const first = planReshard(before, request);
const run = (outcome: string | undefined, changes: Partial<PastRun> = {}): PastRun => ({
  ...{ id: `${String(outcome)} run`, plan: first, lastAt: now - hour },
  ...(outcome === undefined ? {} : { outcome }),
  ...changes,
});
/** Of slots 0 to 999, 300 have moved. */
const after = masters(
  [[300, 4999]],
  [
    [0, 299],
    [5000, 9999],
  ],
);

test('a reshard by number that stopped moves what is left, and says so', () => {
  for (const outcome of ['cancelled', 'closed', 'failed', 'partial', undefined]) {
    const remainder = remainderOf([run('done'), run(outcome)], after, request, now);
    assert.ok(remainder, outcome);
    const plan = planRemainder(after, request, remainder);
    assert.deepEqual(
      plan.steps.map((step) => step.kind === 'moveSlots' && [step.from, step.to, step.slots]),
      [['a', 'b', [[300, 999]]]],
    );
    assert.match(
      plan.warnings[0] ?? '',
      /^Resumes the reshard of 1,000 slots that .*: 700 of 1,000 slots remain\./,
    );
    // The next run finds it by the same request.
    assert.deepEqual(plan.request, request);
    const again = { ...run('cancelled'), plan };
    const later = masters(
      [[800, 4999]],
      [
        [0, 799],
        [5000, 9999],
      ],
    );
    assert.deepEqual(remainderOf([run(outcome), again], later, request, now)?.slots, [[800, 999]]);
  }
});

test('pace and limits do not make another request of it', () => {
  const faster = { ...request, pace: 'fast' } as const;
  assert.deepEqual(remainderOf([run('cancelled')], after, faster, now)?.slots, [[300, 999]]);
});

test('what was finished, is still running, is too old or is another request is not resumed', () => {
  const of = (runs: readonly PastRun[], wanted = request): unknown => remainderOf(runs, after, wanted, now);
  assert.equal(of([]), undefined);
  assert.equal(of([run('cancelled'), run('done')]), undefined);
  assert.equal(of([run(undefined, { lastAt: now - 5000 })]), undefined);
  assert.equal(of([run('cancelled', { lastAt: now - 25 * hour })]), undefined);
  assert.equal(of([run('died')]), undefined);
  assert.equal(of([run('cancelled')], { ...request, slots: 999 }), undefined);
  assert.equal(of([run('cancelled')], { ...request, from: 'all' }), undefined);
  assert.equal(of([run('cancelled')], { ...request, slots: [[0, 999]] }), undefined);
  const elsewhere = { ...first, ref: { addresses: ['other:1'] } };
  assert.equal(of([run('cancelled', { plan: elsewhere })]), undefined);
  const rebalance = { ...first, operation: 'rebalance' };
  assert.equal(of([run('cancelled'), run('done', { plan: rebalance })]), undefined);
  const heal = { ...first, operation: 'heal' };
  assert.ok(of([run('cancelled'), run('done', { plan: heal })]));
});

test('where all have moved it is not begun anew unasked', () => {
  const whole = masters(
    [[1000, 4999]],
    [
      [0, 999],
      [5000, 9999],
    ],
  );
  const remainder = remainderOf([run('failed')], whole, request, now);
  assert.ok(remainder);
  assert.throws(
    () => planRemainder(whole, request, remainder),
    (error) => {
      assert.ok(error instanceof UserError && error.reason === 'nothing-to-do');
      assert.match(
        error.message,
        /already been moved\. To move 1,000 more slots instead, run it with startOver: true/,
      );
      return true;
    },
  );
});
