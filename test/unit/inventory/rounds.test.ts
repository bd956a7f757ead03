import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Rounds } from '../../../src/inventory/rounds.ts';

/** Rounds whose ends a test decides. */
function controlled(): { rounds: Rounds; began: boolean[]; end: () => void } {
  const began: boolean[] = [];
  const ends: (() => void)[] = [];
  const rounds = new Rounds((isPatient) => {
    began.push(isPatient);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    ends.push(() => {
      resolve(undefined);
    });
    return promise;
  });
  return { rounds, began, end: () => ends.shift()?.() };
}

const turn = (): Promise<unknown> => setImmediate();

test('whoever asks for a round gets one that began after the call, and all who ask meanwhile the same', async () => {
  const { rounds, began, end } = controlled();
  const first = rounds.readNow();
  const second = rounds.readNow();
  const third = rounds.readFully();
  let isDone = false;
  void second.then(() => (isDone = true));
  end();
  await first;
  await turn();
  assert.deepEqual([began, isDone], [[false, true], false]);
  end();
  await Promise.all([second, third]);
  assert.equal(began.length, 2, 'never two at a time');
});

test('after the end no round begins, not even one that was asked for before', async () => {
  const { rounds, began, end } = controlled();
  rounds.start();
  const next = rounds.readFully();
  rounds.stop();
  end();
  await next;
  await rounds.readNow();
  assert.deepEqual([began, rounds.running], [[false], false]);
  rounds.start();
  assert.deepEqual(began, [false, true], 'who asked for patience still has it');
  rounds.stop();
  end();
});
