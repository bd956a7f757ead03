import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWindowOver, moveOptionsText, nextTimeOfDay } from '../../../src/model/moves.ts';
import { readMoveLimits } from '../../../src/operations/slots/moveOptions.ts';

const refuse = (field: string, what: string): Error => new Error(`${field} is not ${what}`);

test('limits are read as they were given', () => {
  const limits = { latencyMs: 0.5, lagBytes: 1, memoryPercent: 100, until: '2030-01-31T06:00:00.5+01:00' };
  assert.deepEqual(readMoveLimits(limits, refuse), limits);
  assert.deepEqual(readMoveLimits({}, refuse), {});
});

test('what is no limit is refused by name', () => {
  const cases: readonly [unknown, RegExp][] = [
    [null, /^ is not an object of latencyMs, lagBytes, memoryPercent, until$/],
    [[], /^ is not an object/],
    [{ latency: 5 }, /^latency is not one of these limits: latencyMs/],
    [{ constructor: 5 }, /^constructor is not one of these limits/],
    [{ latencyMs: '20' }, /^latencyMs is not a number of milliseconds above 0/],
    [{ latencyMs: 0 }, /^latencyMs is not/],
    [{ latencyMs: Number.NaN }, /^latencyMs is not/],
    [{ lagBytes: -1 }, /^lagBytes is not a number of bytes above 0/],
    [{ lagBytes: Number.POSITIVE_INFINITY }, /^lagBytes is not/],
    [{ memoryPercent: 101 }, /^memoryPercent is not a number of percent above 0, and at most 100/],
    [{ until: 1_900_000_000_000 }, /^until is not a time with its zone/],
    [{ until: '06:00' }, /^until is not/],
    [{ until: '2030-01-31T06:00:00' }, /^until is not/],
    [{ until: '2030-02-31T26:00:00Z' }, /^until is not/],
  ];
  for (const [given, message] of cases) {
    assert.throws(() => readMoveLimits(given, refuse), { message }, JSON.stringify(given));
  }
});

test('a window is over from its end on, and one without an end never', () => {
  const until = '2030-01-31T06:00:00Z';
  const end = Date.parse(until);
  assert.deepEqual(
    [isWindowOver({ until }, end - 1), isWindowOver({ until }, end), isWindowOver({}, end)],
    [false, true, false],
  );
});

test('a time of day is the next one there is, today or tomorrow, also when the clocks are changed', () => {
  const next = (hours: number, minutes: number): Date =>
    new Date(nextTimeOfDay('06:00', new Date(2030, 2, 30, hours, minutes)));
  const at = (day: number): Date => new Date(2030, 2, day, 6, 0);
  assert.deepEqual([next(5, 59), next(6, 0), next(23, 0)], [at(30), at(31), at(31)]);
});

test('gently and without limits there is nothing to say', () => {
  assert.deepEqual(moveOptionsText({}), []);
  assert.deepEqual(moveOptionsText({ pace: 'gentle', limits: {} }), []);
});
