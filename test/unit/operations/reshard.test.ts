import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { OpenSlot } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { countSlots, unionSlots, type SlotSet } from '../../../src/model/slots.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { shareOut } from '../../../src/operations/slots/chooseSlots.ts';
import { sketchOf, type Sketch } from './sketch.ts';

function moved(
  snapshot: ClusterSnapshot,
  request: Parameters<typeof planReshard>[1],
): Record<string, SlotSet> {
  const { steps } = planReshard(snapshot, request);
  return Object.fromEntries(
    steps.map((step) => (step.kind === 'moveSlots' ? [step.from, step.slots] : ['', []])),
  );
}

test('a number of slots is taken from all masters in proportion, the lowest first', () => {
  const plan = planReshard(sketchOf(), { from: 'all', to: 'c', slots: 1000 });
  assert.equal(plan.title, 'Reshard 1,000 slots to 127.0.0.1:6099');
  assert.deepEqual(plan.losses, []);
  const parts = moved(sketchOf(), { from: 'all', to: 'c', slots: 1000 });
  assert.deepEqual(parts, { a: [[0, 498]], b: [[5461, 5961]] });
});

test('shares add up to exactly the number wanted and no master gives more than it has', () => {
  for (const [sizes, count] of [
    [[5461, 5462, 5461], 1000],
    [[1, 1, 1], 2],
    [[3, 0, 2], 5],
    [[10, 10, 10, 10], 7],
    [[1, 16_000], 15_999],
    [[0, 0], 0],
  ] as const) {
    const shares = shareOut(sizes, count);
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      count,
      `${sizes.join()} → ${shares.join()}`,
    );
    for (const [index, share] of shares.entries()) assert.ok(share >= 0 && share <= (sizes[index] ?? 0));
  }
});

test('named slots are taken from whoever owns them; those of the target are left out', () => {
  const slots: SlotSet = [
    [5400, 5500],
    [11_000, 11_009],
  ];
  const plan = planReshard(sketchOf(), { from: 'all', to: 'c', slots });
  assert.match(plan.warnings.join(), /owns 10 of these slots already/);
  assert.deepEqual(moved(sketchOf(), { from: 'all', to: 'c', slots }), {
    a: [[5400, 5460]],
    b: [[5461, 5500]],
  });
});

test('slots do not go to a server that is too old to read their keys, as halfway through an upgrade', () => {
  const halfway = (keys: number): ClusterSnapshot =>
    sketchOf({
      a: { slots: [[0, 5460]], view: { version: '8.0.2', keys } },
      b: { slots: [[5461, 10_922]], view: { version: '7.0.15', keys } },
    });
  assert.throws(
    () => planReshard(halfway(1), { from: ['a'], to: 'b', slots: 10 }),
    /127\.0\.0\.1:6098 is Redis 7\.0\.15 and cannot read keys of 127\.0\.0\.1:6097, which is Redis 8\.0\.2/,
  );
  assert.equal(planReshard(halfway(1), { from: ['b'], to: 'a', slots: 10 }).steps.length, 1);
  assert.equal(planReshard(halfway(0), { from: ['a'], to: 'b', slots: 10 }).steps.length, 1);
});

test('a master that gives its last slot is warned about', () => {
  const plan = planReshard(sketchOf(), { from: ['a'], to: 'b', slots: 5461 });
  assert.match(plan.warnings.join(), /127\.0\.0\.1:6097 will own no slots/);
});

const open = (nodeId: string, ...slots: readonly number[]): readonly OpenSlot[] =>
  slots.map((slot) => ({ slot, nodeId }));

test('slots that the same move left open come first', () => {
  const interrupted = sketchOf({
    a: { slots: [[0, 5460]], migrating: open('b', 70, 71) },
    b: { slots: [[5461, 10_922]], importing: open('a', 70, 71, 72) },
  });
  const part = moved(interrupted, { from: ['a'], to: 'b', slots: 10 })['a'] ?? [];
  assert.deepEqual(part, unionSlots([[0, 6]], [[70, 72]]));
  assert.equal(countSlots(part), 10);
});

test('slots that the target owns while the source calls them migrating are closed with the move', () => {
  const interrupted = sketchOf({
    a: { slots: [[64, 5460]], migrating: open('b', 60, 61) },
    b: { slots: unionSlots([[0, 63]], [[5461, 10_922]]) },
  });
  assert.deepEqual(moved(interrupted, { from: ['a'], to: 'b', slots: [[0, 63]] }), { a: [[60, 61]] });
  const plan = planReshard(interrupted, { from: ['a'], to: 'b', slots: 10 });
  assert.match(plan.title, /^Reshard 10 slots/);
});

test('a move whose other end has failed over since goes on with the replica that took its place', () => {
  const newMaster = sketchOf({
    a: { slots: [], masterId: 'h' },
    h: { slots: [[0, 5460]] },
    r: { masterId: 'h' },
    b: { slots: [[5461, 10_922]], importing: open('a', 3) },
  });
  assert.deepEqual(moved(newMaster, { from: ['h'], to: 'b', slots: [[0, 5]] }), { h: [[0, 5]] });
});

test('what cannot be resharded is refused with a reason', () => {
  const cases: readonly [
    string,
    Readonly<Record<string, Sketch>>,
    Parameters<typeof planReshard>[1],
    RegExp,
  ][] = [
    ['no slots', {}, { from: 'all', to: 'c', slots: 0 }, /^0 is not a number of slots.*own 10,923/],
    ['part of a slot', {}, { from: 'all', to: 'c', slots: 1.5 }, /^1\.5 is not a number/],
    ['too many', {}, { from: ['a'], to: 'c', slots: 5462 }, /own 5,461/],
    ['no such target', {}, { from: 'all', to: 'x', slots: 1 }, /no node with the id "x"/],
    ['no such source', {}, { from: ['x'], to: 'c', slots: 1 }, /no node with the id "x"/],
    ['no source', {}, { from: [], to: 'c', slots: 1 }, /at least one master/],
    [
      'replica as target',
      {},
      { from: 'all', to: 'r', slots: 1 },
      /6114 is a replica.*master is 127\.0\.0\.1:6097 \(a\)/,
    ],
    ['replica as source', {}, { from: ['r'], to: 'c', slots: 1 }, /only a master can give slots/],
    ['from = to', {}, { from: ['c'], to: 'c', slots: 1 }, /cannot move slots to itself/],
    [
      "others' slots",
      {},
      { from: ['a'], to: 'c', slots: [[0, 5500]] },
      /5461-5500.*127\.0\.0\.1:6098 owns 5461-5500/,
    ],
    [
      "the target's own",
      {},
      { from: 'all', to: 'c', slots: [[11_000, 11_001]] },
      /already owns slots 11000-11001/,
    ],
    [
      'uncovered',
      { b: { slots: [[5462, 10_922]] } },
      { from: 'all', to: 'c', slots: 1 },
      /No master serves slots 5461/,
    ],
    [
      'failed',
      { b: { slots: [[5461, 10_922]], health: 'failed' } },
      { from: ['a'], to: 'c', slots: 1 },
      /6098 has failed/,
    ],
    [
      'unreachable',
      { b: { slots: [[5461, 10_922]], health: 'unreachable' } },
      { from: ['a'], to: 'c', slots: 1 },
      /6098 does not answer/,
    ],
    [
      'two owners',
      { b: { slots: [[5460, 10_922]] } },
      { from: ['a'], to: 'c', slots: 1 },
      /6097 and 127\.0\.0\.1:6098 both claim slots 5460/,
    ],
    [
      'open for another move',
      { a: { slots: [[0, 5460]], migrating: open('b', 9) } },
      { from: ['a'], to: 'c', slots: 1 },
      /Slot 9 is open for a migration between 127\.0\.0\.1:6097 and 127\.0\.0\.1:6098/,
    ],
    [
      'imported elsewhere',
      { b: { slots: [[5461, 10_922]], importing: open('a', 9) } },
      { from: ['a'], to: 'c', slots: 1 },
      /Slot 9 is open/,
    ],
    [
      'imported from a source that does not own it',
      { c: { slots: [[10_923, 16_383]], importing: open('a', 6000) } },
      { from: ['a'], to: 'c', slots: 1 },
      /Slot 6000 is open for a migration between 127\.0\.0\.1:6099 and 127\.0\.0\.1:6097/,
    ],
  ];
  for (const [name, changes, request, message] of cases) {
    assert.throws(
      () => planReshard(sketchOf(changes), request),
      (error) => error instanceof UserError && message.test(error.message),
      name,
    );
  }
});

test('a failed master that owns nothing is in nobody’s way', () => {
  const snapshot = sketchOf({ d: { health: 'failed' } });
  assert.deepEqual(moved(snapshot, { from: ['a'], to: 'b', slots: 1 }), { a: [[0, 0]] });
});
