import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../../../src/model/history.ts';

const text = (one: string): string => one;

test('an age counts from the first of the readings that all have it', () => {
  const history = new History();
  const ages = (found: readonly string[], at: number): readonly number[] =>
    history.ages('findings', found, text, at);
  assert.deepEqual(ages(['a'], 1_000), [0]);
  assert.deepEqual(ages(['b', 'a'], 4_000), [0, 3_000]);
  assert.deepEqual(ages(['b'], 5_000), [1_000]);
  assert.deepEqual(ages(['b', 'a'], 6_000), [2_000, 0], 'it was gone in between');
  assert.deepEqual(history.ages('others', ['b'], text, 6_000), [0]);
  assert.deepEqual(new History().ages('findings', ['b'], text, 6_000), [0]);
});

test('the very same list is not named again, and an older reading changes nothing', () => {
  const history = new History();
  let named = 0;
  const nameOf = (one: string): string => {
    named++;
    return one;
  };
  const found = ['a', 'b'];
  history.ages('findings', found, nameOf, 1_000);
  assert.deepEqual(history.ages('findings', found, nameOf, 9_000), [8_000, 8_000]);
  assert.equal(named, 2);
  assert.deepEqual(history.ages('findings', [], text, 500), []);
  assert.deepEqual(history.ages('findings', found, text, 10_000), [9_000, 9_000]);
});
