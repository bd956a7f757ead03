import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOfOwners, wouldOutrank } from '../../../src/model/configEpochs.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import { line, view } from '../sample.ts';

/** A master with this config epoch of its own that knows these of others and has heard of this current epoch. */
function master(own: number, others: readonly number[], currentEpoch: number): NodeView {
  return view('m0', {
    self: line('m0', { configEpoch: own }),
    others: others.map((configEpoch, index) => line(`m${index + 1}`, { configEpoch })),
    currentEpoch,
  });
}

test('a claim wins only over owners of whose config epoch the master has heard', () => {
  const cases: readonly (readonly [own: number, others: readonly number[], current: number, over: number])[] =
    [
      // It takes the epoch after the greatest.
      [1, [2, 3], 3, 3],
      [0, [0, 0], 0, 0],
      [0, [], 0, 0],
      // It has the greatest, so it keeps it.
      [7, [2, 3], 7, 6],
      // It has heard of an epoch, but not yet whose it is.
      [1, [2, 3], 8, 8],
      [7, [2, 3], 8, 8],
    ];
  for (const [own, others, current, over] of cases) {
    const text = `${own} ${others.join()} ${current}`;
    assert.equal(wouldOutrank(master(own, others, current), over), true, text);
  }
  assert.equal(wouldOutrank(master(1, [2, 3], 3), 4), false, 'would take 4, which the owner has');
  assert.equal(wouldOutrank(master(3, [1, 2], 3), 8), false, 'would keep 3');
  assert.equal(wouldOutrank(master(3, [1, 3], 3), 3), false, 'both have the same one, and it would be kept');
});

test('the epoch of an owner is the greatest by which anybody knows it', () => {
  const told = (epoch: number): NodeView =>
    view('m0', {
      self: line('m0', { slots: [[0, 9]], configEpoch: 90 }),
      others: [
        line('m1', { slots: [[10, 19]], configEpoch: epoch }),
        line('m2', { slots: [], configEpoch: 80 }),
      ],
    });
  assert.equal(epochOfOwners([told(4), told(6), told(5)], [[15, 30]], 'm2'), 6);
  assert.equal(epochOfOwners([told(4)], [[0, 12]], 'm0'), 4);
  assert.equal(epochOfOwners([told(4)], [[30, 31]], 'm2'), 0);
});
