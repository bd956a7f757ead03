import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import {
  countSlots,
  intersectSlots,
  slotCount,
  subtractSlots,
  unionSlots,
} from '../../../src/model/slots.ts';
import { planRebalance, type RebalanceRequest } from '../../../src/operations/rebalance.ts';
import { transfersFor, type Share } from '../../../src/operations/slots/shares.ts';
import { sketchOf, type Sketch } from './sketch.ts';

/** How many slots each master owns after the plan, and that every slot has one owner at every step on the way. */
function after(snapshot: ClusterSnapshot, request: RebalanceRequest): Readonly<Record<string, number>> {
  const owned = new Map(snapshot.nodes.map(({ id, slots }) => [id, slots]));
  for (const step of planRebalance(snapshot, request).steps) {
    assert.equal(step.kind, 'moveSlots');
    const [from = [], to = []] = [owned.get(step.from), owned.get(step.to)];
    assert.deepEqual(subtractSlots(step.slots, unionSlots(from, to)), []);
    owned.set(step.from, subtractSlots(from, step.slots));
    owned.set(step.to, unionSlots(to, step.slots));
    const all = [...owned.values()];
    assert.equal(countSlots(unionSlots(...all)), slotCount);
    assert.equal(
      all.reduce((sum, set) => sum + countSlots(set), 0),
      slotCount,
    );
  }
  return Object.fromEntries(
    [...owned].filter(([id]) => id !== 'r').map(([id, slots]) => [id, countSlots(slots)]),
  );
}

/** Numbers from 0 to below 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function randomShares(random: () => number): readonly Share[] {
  const count = 1 + Math.floor(random() * 40);
  const cuts = Array.from({ length: count - 1 }, () => Math.floor(random() * (slotCount + 1)));
  const edges = [0, ...cuts.sort((a, b) => a - b), slotCount];
  return edges.slice(1).map((edge, index) => ({
    id: String(index),
    slots: edge - (edges[index] ?? 0),
    weight: index === 0 || random() < 0.7 ? 1 : Math.floor(random() * 4),
  }));
}

test('any cluster ends within the threshold, by the fewest moves there are', () => {
  const random = seeded(7);
  for (let round = 0; round < 2000; round++) {
    const shares = randomShares(random);
    const threshold = [0, 0.5, 2, 10, 100][round % 5] ?? 2;
    const total = shares.reduce((sum, { weight }) => sum + weight, 0);
    const numbers = new Map(shares.map(({ id, slots }) => [id, slots]));
    let moved = 0;
    for (const { from, to, slots } of transfersFor(shares, threshold)) {
      numbers.set(from, (numbers.get(from) ?? 0) - slots);
      numbers.set(to, (numbers.get(to) ?? 0) + slots);
      moved += slots;
    }
    let [over, under] = [0, 0];
    for (const { id, slots, weight } of shares) {
      const share = (slotCount * weight) / total;
      const room = (share * threshold) / 100;
      const high = Math.max(Math.ceil(share), Math.floor(share + room));
      const low = Math.min(Math.floor(share), Math.ceil(share - room));
      const number = numbers.get(id) ?? 0;
      assert.ok(number >= low && number <= high, `round ${round}: ${number} is not in ${low} to ${high}`);
      over += Math.max(0, slots - high);
      under += Math.max(0, low - slots);
    }
    // What is too much has to go and what is missing has to come: nothing less can do.
    assert.equal(moved, Math.max(over, under), `round ${round}`);
  }
});

const lopsided: Readonly<Record<string, Sketch>> = {
  a: { slots: [[0, 9999]] },
  b: { slots: [[10_000, 13_999]] },
  c: { slots: [[14_000, 16_383]] },
};

test('masters get their shares, and those that are within the threshold are left alone', () => {
  assert.deepEqual(after(sketchOf(lopsided), { threshold: 0 }), { a: 5462, b: 5461, c: 5461 });
  const near = sketchOf({ a: { slots: [[0, 5499]] }, b: { slots: [[5500, 10_922]] } });
  assert.throws(
    () => planRebalance(near, {}),
    (error) => error instanceof UserError && error.message.includes('already within 2% of its share'),
  );
  assert.deepEqual(after(near, { threshold: 0 }), { a: 5462, b: 5461, c: 5461 });
});

test('empty masters are left out unless they are to be used; a weight of 0 empties one', () => {
  const grown = sketchOf({ d: {} });
  assert.throws(() => planRebalance(grown, {}), /within 2%/);
  assert.deepEqual(after(grown, { threshold: 0, useEmptyMasters: true }), {
    a: 4096,
    b: 4096,
    c: 4096,
    d: 4096,
  });
  assert.deepEqual(after(grown, { threshold: 0, weights: { d: 3 } }), { a: 2730, b: 2731, c: 2731, d: 8192 });
  const plan = planRebalance(grown, { weights: { c: 0 } });
  assert.match(plan.warnings.join(' '), /:6099 will own no slots/);
  assert.match(plan.warnings.join(' '), /:6100 owns no slots and is skipped/);
  assert.equal(after(grown, { weights: { c: 0 } })['c'], 0);
});

test('slots that an interrupted move left open are carried on', () => {
  const interrupted = sketchOf({
    a: { slots: [[0, 5460]], migrating: [{ slot: 7, nodeId: 'b' }] },
    b: { slots: [[5461, 10_922]], importing: [{ slot: 7, nodeId: 'a' }] },
  });
  const plan = planRebalance(interrupted, {});
  assert.deepEqual(
    plan.steps.map((step) => step.kind === 'moveSlots' && [step.from, step.to, step.slots]),
    [['a', 'b', [[7, 7]]]],
  );
  const more = planRebalance(interrupted, { weights: { a: 0 } });
  const moved = more.steps.map((step) => (step.kind === 'moveSlots' ? step.slots : []));
  assert.deepEqual(unionSlots(...moved), [[0, 5460]]);
  for (const [index, one] of moved.entries())
    for (const other of moved.slice(index + 1)) assert.deepEqual(intersectSlots(one, other), []);
});

test('what cannot be rebalanced is refused with a reason', () => {
  const open = (nodeId: string): Sketch['importing'] & object => [{ slot: 7, nodeId }];
  const cases: readonly [Readonly<Record<string, Sketch>>, RebalanceRequest, RegExp][] = [
    [{}, { threshold: -1 }, /from 0 to 100, not -1/],
    [{}, { weights: { x: 1 } }, /"x", which is not the node id of a master/],
    [{}, { weights: { r: 1 } }, /"r", which is not the node id of a master/],
    [{}, { weights: { a: Number.NaN } }, /The weight of a must be 0 or more/],
    [{}, { weights: { a: 0, b: 0, c: 0 } }, /All weights are 0/],
    [{ b: { slots: [[5462, 10_922]] } }, {}, /No master serves slots 5461/],
    [{ b: { slots: [[5460, 10_922]] } }, {}, /both claim slots 5460/],
    [{ b: { slots: [[5461, 10_922]], health: 'failed' } }, {}, /6098 has failed/],
    [
      { a: { slots: [[0, 5460]], migrating: [{ slot: 1, nodeId: 'gone' }] } },
      {},
      /with gone, which is not a master/,
    ],
    [
      {
        b: { slots: [[5461, 10_922]], importing: open('a') },
        c: { slots: [[10_923, 16_383]], importing: open('a') },
      },
      {},
      /Slot 7 is open for several moves.* between 127\.0\.0\.1:6097, 127\.0\.0\.1:6098, 127\.0\.0\.1:6099\. Heal/,
    ],
    [
      { b: { slots: [[5461, 10_922]], importing: open('c') } },
      {},
      /Slot 7 is open .* its owner has no part in/,
    ],
  ];
  for (const [changes, request, message] of cases) {
    assert.throws(
      () => planRebalance(sketchOf(changes), request),
      (error) => error instanceof UserError && message.test(error.message),
      String(message),
    );
  }
});

test('who may have no room for what comes is named beforehand', () => {
  const full = { usedMemoryBytes: 95 << 20, maxMemoryBytes: 100 << 20, keys: 5 };
  const heavy = { usedMemoryBytes: 500 << 20, keys: 5 };
  const snapshot = sketchOf({
    ...lopsided,
    a: { slots: [[0, 9999]], view: heavy },
    c: { slots: [[14_000, 16_383]], view: full },
  });
  assert.match(
    planRebalance(snapshot, {}).warnings.join(),
    /About \d+(\.\d)? MiB move to 127\.0\.0\.1:6099, which has 5\.0 MiB left below its maxmemory: the migration would stop there/,
  );
});
