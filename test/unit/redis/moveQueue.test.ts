import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LargeKey } from '../../../src/redis/moveSlots/bigKeys.ts';
import { queueOf } from '../../../src/redis/moveSlots/queue.ts';
import { startSpeed, type Speed } from '../../../src/redis/moveSlots/speed.ts';

const key = (slot: number, elements: number): LargeKey => ({
  ...{ key: Buffer.from(`key ${slot}`), slot, elements, bytes: elements * 100 },
});

function clock() {
  const time = { now: 0 };
  return {
    time,
    speed: startSpeed(
      () => time.now,
      () => 0,
    ),
  };
}

/** What a hash of so many fields takes an idle server; milliseconds. */
const idleMs = (elements: number): number => 0.3 + elements / 400 + (elements * 100) / 50_000;

test('half the speed of an idle server is assumed as long as nothing was measured', () => {
  const { speed } = clock();
  assert.equal(speed.worstMs(key(1, 100_000)), 2 * idleMs(100_000));
});

test('the worst of what was measured counts, and a big key counts more than small ones', () => {
  const { time, speed } = clock();
  // 300 ms of waiting for what takes an idle server 100 ms.
  speed.begun();
  time.now = 300;
  speed.ended({ elements: 40_000 - 120, bytes: 0 }, false);
  assert.ok(Math.abs(speed.worstMs(key(1, 100_000)) - 6 * idleMs(100_000)) < 10);
  speed.noteBig(key(2, 50_000), 5 * idleMs(50_000));
  speed.noteBig(key(2, 50_000), 0.5 * idleMs(50_000));
  assert.equal(Math.round(speed.worstMs(key(1, 100_000))), Math.round(10 * idleMs(100_000)));
  time.now += 61_000;
  assert.equal(speed.worstMs(key(1, 100_000)), 2 * idleMs(100_000));
});

test('what this side was at work itself is no fault of the servers', () => {
  const time = { now: 0, worked: 0 };
  const speed = startSpeed(
    () => time.now,
    () => time.worked,
  );
  speed.begun();
  Object.assign(time, { now: 400, worked: 390 });
  speed.ended({ elements: 1000, bytes: 0 }, false);
  assert.equal(speed.worstMs(key(1, 1000)), 2 * idleMs(1000));
});

const longestMs = 1000;

function queueWith(keys: readonly LargeKey[], speed: Speed) {
  const largeKeys = {
    in: (slots: readonly number[]) => Promise.resolve(keys.filter(({ slot }) => slots.includes(slot))),
  };
  return queueOf({ blocks: [[[0, 3]], [[4, 7]], [[8, 8]]], largeKeys, speed, longestMs });
}

test('slots with big keys come last, the smaller first and for one lane only; one that is too big stays', async () => {
  const { speed } = clock();
  const queue = queueWith([key(5, 100_000), key(2, 50_000), key(8, 900_000), key(1, 10_000)], speed);
  const [one, other] = [{}, {}];
  assert.deepEqual((await queue.next(one))?.slots, [0, 1, 3]);
  assert.deepEqual((await queue.next(other))?.slots, [4, 6, 7]);
  assert.deepEqual((await queue.next(one))?.slots, [2]);
  assert.equal(await queue.next(other), undefined);
  assert.deepEqual((await queue.next(one))?.slots, [5]);
  assert.equal(await queue.next(one), undefined);
  assert.deepEqual(
    queue.tooBig.map(({ slot }) => slot),
    [8],
  );
});

test('how long the smaller key took decides about the bigger', async () => {
  for (const [slowness, isMoved] of [
    [1, true],
    [3, false],
  ] as const) {
    const { speed } = clock();
    const queue = queueWith([key(2, 50_000), key(5, 100_000)], speed);
    const lane = {};
    await queue.next(lane);
    await queue.next(lane);
    await queue.next(lane);
    assert.deepEqual((await queue.next(lane))?.slots, [2]);
    speed.noteBig(key(2, 50_000), slowness * idleMs(50_000));
    assert.deepEqual((await queue.next(lane))?.slots, isMoved ? [5] : undefined);
    assert.equal(queue.tooBig.length, isMoved ? 0 : 1);
  }
});
