import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allSlots,
  countSlots,
  eachSlot,
  formatSlots,
  hasSlot,
  intersectSlots,
  lowestSlots,
  parseSlots,
  slotSet,
  slotsFrom,
  splitSlots,
  subtractSlots,
  unionSlots,
} from '../../../src/model/slots.ts';

test('slots are read and printed in one form', () => {
  assert.deepEqual(parseSlots(' 200, 0-99,100 '), [
    [0, 100],
    [200, 200],
  ]);
  assert.equal(formatSlots(parseSlots('5-6,7,1')), '1,5-7');
  assert.equal(formatSlots([]), '');
});

test('what is no slot is said', () => {
  assert.throws(() => parseSlots('0-16384'), /"0-16384" is out of range: hash slots go from 0 to 16383/);
  assert.throws(() => parseSlots('9-3'), /backwards/);
  assert.throws(() => parseSlots('a'), /"a" is not a hash slot/);
  assert.throws(() => parseSlots('-1'), /"-1" is not a hash slot/);
  assert.throws(() => parseSlots(' , '), /No hash slots given/);
});

test('set operations agree with sets of numbers', () => {
  let seed = 7;
  const random = (limit: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % limit;
  };
  for (let round = 0; round < 200; round++) {
    const a = new Set(Array.from({ length: random(60) }, () => random(120)));
    const b = new Set(Array.from({ length: random(60) }, () => random(120)));
    const [first, second] = [slotsFrom(a), slotsFrom(b)];
    assert.deepEqual(
      new Set(eachSlot(unionSlots(first, second))),
      new Set([...a, ...b].sort((x, y) => x - y)),
    );
    assert.deepEqual(
      [...eachSlot(subtractSlots(first, second))],
      [...a].filter((slot) => !b.has(slot)).sort((x, y) => x - y),
    );
    assert.deepEqual(
      [...eachSlot(intersectSlots(first, second))],
      [...a].filter((slot) => b.has(slot)).sort((x, y) => x - y),
    );
    assert.equal(countSlots(first), a.size);
    assert.equal(hasSlot(first, 50), a.has(50));
    assert.deepEqual(slotSet([...first].reverse()), first);
  }
});

test('slots are taken from below and cut into pieces', () => {
  const set = parseSlots('0-9,20-29');
  assert.equal(formatSlots(lowestSlots(set, 12)), '0-9,20-21');
  assert.deepEqual(splitSlots(set, 8).map(formatSlots), ['0-7', '8-9,20-25', '26-29']);
  assert.equal(countSlots(allSlots), 16_384);
});
