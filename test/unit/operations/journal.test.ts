import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { readWrittenPlan } from '../../../src/operations/plans/planFile.ts';
import {
  endedUnfinished,
  openJournal,
  settleJournal,
  diedUnfinished,
  type JournalPorts,
  type JournalStore,
} from '../../../src/operations/run/journal.ts';
import { journalFiles } from '../../../src/ui/run/journalFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'redis-cluster-journal-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)] as const;
const plan: Plan = {
  title: 'Reshard 10 slots',
  ref: { context: 'test', namespace: 'shop', name: 'cart' },
  ...{ operation: 'reshard', request: { from: [a], to: b, slots: 10 }, warnings: ['Slow.'], losses: [] },
  steps: [{ kind: 'moveSlots', from: a, to: b, slots: [[0, 9]], text: 'Move 10 slots (0-9)' }],
};

/** The store, with the number of questions to it that are not answered yet. */
function counted(store: JournalStore): { readonly store: JournalStore; readonly pending: () => number } {
  let pending = 0;
  const counting = async <T>(work: Promise<T>): Promise<T> => {
    pending++;
    return await work.finally(() => pending--);
  };
  return {
    pending: () => pending,
    store: {
      list: () => counting(store.list()),
      read: (id) => counting(store.read(id)),
      append: (id, line) => counting(store.append(id, line)),
      remove: (id) => counting(store.remove(id)),
    },
  };
}

/**
 * Windows on one folder whose time goes on only when the test says so, and not before the disk has caught up; each
 * beats as long as it is not asleep.
 */
function world(name: string) {
  let time = Date.parse('2030-01-01T00:00:00Z');
  const waiting = new Set<{ readonly until: number; readonly wake: () => void; readonly window: object }>();
  const asleep = new Set<object>();
  const path = join(folder, name);
  const { store, pending } = counted(journalFiles(path));
  const portsOf = (window: object): JournalPorts => ({
    store,
    clock: () => time,
    delay: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        const entry = { until: time + milliseconds, wake: resolve, window };
        waiting.add(entry);
        signal.addEventListener('abort', () => {
          waiting.delete(entry);
          resolve();
        });
      }),
  });
  const quiet = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns++) {
      await new Promise(setImmediate);
      if (pending() > 0) turns = 0;
    }
  };
  const pass = async (seconds: number): Promise<void> => {
    await quiet();
    for (let second = 0; second < seconds; second++) {
      time += 1000;
      for (const entry of waiting) {
        if (entry.until > time || asleep.has(entry.window)) continue;
        waiting.delete(entry);
        entry.wake();
      }
      await quiet();
    }
  };
  return {
    ...{ path, portsOf, pass },
    sleep: (window: object) => asleep.add(window),
    wake: (window: object) => asleep.delete(window),
  };
}

/** What a window that starts now would offer; `seconds` later it has to know. */
async function offered({ portsOf, pass }: ReturnType<typeof world>, seconds = 15) {
  const found = diedUnfinished(portsOf({}), new AbortController().signal);
  await pass(seconds);
  return await found;
}

test('the operation of a dead window is offered with its plan, and only until somebody has decided', async () => {
  const here = world('dead');
  const dying = {};
  const journal = await openJournal(here.portsOf(dying), plan);
  await journal.observer.begun(0);
  here.sleep(dying);
  await here.pass(40);
  const [found] = await offered(here);
  assert.ok(found !== undefined);
  assert.deepEqual(readWrittenPlan(found.plan), plan);
  assert.deepEqual([found.operation, found.request, found.cluster], ['reshard', plan.request, plan.ref]);
  assert.match(found.text, /2030-01-01 00:00:00 {2}step 1 started: Move 10 slots \(0-9\)/);
  await settleJournal(here.portsOf({}), found.id, 'repaired');
  assert.deepEqual(await offered(here), []);
});

test('a window that starts right after the crash offers it as soon as the other has been silent for long enough', async () => {
  const here = world('fresh');
  const dying = {};
  await openJournal(here.portsOf(dying), plan);
  here.sleep(dying);
  await here.pass(2);
  let isKnown = false;
  const found = diedUnfinished(here.portsOf({}), new AbortController().signal).finally(() => {
    isKnown = true;
  });
  await here.pass(27);
  assert.equal(isKnown, false, 'it has not been silent for long enough');
  await here.pass(2);
  const [first] = await found;
  assert.deepEqual(first && readWrittenPlan(first.plan), plan);
});

test('the operation of a window that lives, sleeps for a while or has ended is not', async () => {
  const here = world('alive');
  const window = {};
  const journal = await openJournal(here.portsOf(window), plan);
  await here.pass(60);
  assert.deepEqual(await offered(here, 31), []);
  here.sleep(window);
  await here.pass(300);
  const found = diedUnfinished(here.portsOf({}), new AbortController().signal);
  await here.pass(1);
  here.wake(window);
  await here.pass(14);
  assert.deepEqual(await found, [], 'the window woke while the other one looked twice');
  await journal.close('done', 'All moved.');
  await here.pass(300);
  assert.deepEqual(await offered(here), []);
});

test('what a crash has cut off says nothing and swallows nothing', async () => {
  const here = world('cut');
  const dying = {};
  await openJournal(here.portsOf(dying), plan);
  here.sleep(dying);
  const [file = ''] = readdirSync(here.path);
  appendFileSync(join(here.path, file), '\n{"at":18934');
  await here.pass(60);
  const [found] = await offered(here);
  assert.ok(found !== undefined);
  assert.deepEqual(readWrittenPlan(found.plan), plan);
  await settleJournal(here.portsOf({}), found.id, 'resumed');
  assert.deepEqual(await offered(here), []);
});

test('only what every plan has is written down, for this user alone', async () => {
  const here = world('secret');
  const dying = {};
  const own = { ...plan, operation: 'deploy', password: 'hunter2' };
  const objects = [{ kind: 'StatefulSet', name: 'shop' }];
  await openJournal(here.portsOf(dying), {
    ...own,
    steps: [{ kind: 'applyManifests', text: 'Make it', objects }],
  });
  here.sleep(dying);
  await here.pass(60);
  const [found] = await offered(here);
  assert.equal(
    found && readWrittenPlan(found.plan),
    undefined,
    'it takes more than the steps to run it again',
  );
  assert.equal(found?.operation, 'deploy');
  const [file = ''] = readdirSync(here.path);
  assert.doesNotMatch(readFileSync(join(here.path, file), 'utf8'), /hunter2/);
  assert.equal(statSync(join(here.path, file)).mode & 0o077, 0);
  assert.equal(statSync(here.path).mode & 0o077, 0);
});

test('the fifty newest journals are kept', async () => {
  const here = world('many');
  for (let number = 0; number < 53; number++) {
    const journal = await openJournal(here.portsOf({}), plan);
    await journal.close('done', '');
    await here.pass(1);
  }
  assert.equal(readdirSync(here.path).length, 50);
});

test('an operation that ended with steps left is unfinished until it is decided, done again or healed', async () => {
  const here = world('ended');
  const window = {};
  const two = { ...plan, steps: [...plan.steps, ...plan.steps] };
  const run = async (how: string, outcome: string, of: Plan = two): Promise<void> => {
    await here.pass(1);
    const journal = await openJournal(here.portsOf(window), of);
    await journal.observer.ended(0, 'skipped');
    await journal.observer.begun(1);
    await journal.observer.ended(1, how as 'done');
    await journal.close(outcome, 'The target does not answer.');
  };
  const ends = async (): Promise<readonly string[]> =>
    (await endedUnfinished(here.portsOf({}))).map(({ end }) => end);
  await run('done', 'failed');
  assert.deepEqual(await ends(), [], 'all its steps are done');
  await run('failed', 'failed');
  const [failed] = await endedUnfinished(here.portsOf({}));
  assert.deepEqual([failed?.end, failed?.steps], ['failed', { done: 1, of: 2 }]);
  assert.ok(failed !== undefined);
  assert.deepEqual(readWrittenPlan(failed.plan), two);
  assert.match(failed.text, /failed: The target does not answer\./);
  await run('cancelled', 'cancelled');
  assert.deepEqual(await ends(), ['cancelled'], 'the same one again is offered once');
  await run('cancelled', 'closed');
  assert.deepEqual(await ends(), ['closed']);
  const other: Plan = { ...two, ref: { addresses: ['10.9.9.9:6379'] } };
  await run('done', 'done', { ...other, operation: 'heal' });
  assert.deepEqual(await ends(), ['closed'], 'another cluster was healed');
  await run('done', 'done', { ...two, operation: 'setConfig' });
  assert.deepEqual(await ends(), ['closed']);
  await run('done', 'done', { ...two, operation: 'heal' });
  assert.deepEqual(await ends(), []);
  await run('failed', 'failed');
  assert.deepEqual(await ends(), ['failed']);
  await run('done', 'done');
  assert.deepEqual(await ends(), []);
  await run('failed', 'partial');
  const [partial] = await endedUnfinished(here.portsOf({}));
  assert.ok(partial !== undefined);
  await settleJournal(here.portsOf({}), partial.id, 'dismissed');
  assert.deepEqual(await ends(), []);
});

test('an operation that was refused before its first step left nothing', async () => {
  const here = world('refused');
  const journal = await openJournal(here.portsOf({}), plan);
  await journal.close('failed', 'The cluster is unhealthy.');
  assert.deepEqual(await endedUnfinished(here.portsOf({})), []);
});

test('the operation of a dead window is offered no more when a later one did the rest, by count as well', async () => {
  const here = world('replaced');
  const died = async (): Promise<void> => {
    const dying = {};
    const journal = await openJournal(here.portsOf(dying), plan);
    await journal.observer.begun(0);
    here.sleep(dying);
    await here.pass(40);
  };
  const run = async (changes: Partial<Plan>, outcome: string): Promise<void> => {
    const later = await openJournal(here.portsOf({}), { ...plan, ...changes });
    await later.observer.begun(0);
    await later.close(outcome, '');
    await here.pass(1);
  };
  const ends = async (): Promise<unknown[]> => [
    ...(await offered(here)).map(({ title }) => title),
    ...(await endedUnfinished(here.portsOf({}))).map(({ title }) => title),
  ];
  await died();
  await run({ ref: { context: 'test', namespace: 'shop', name: 'stock' } }, 'done');
  assert.deepEqual(await ends(), [plan.title]);
  // What is left of the ten, which stops as well.
  await run({ title: 'Reshard 4 slots' }, 'partial');
  assert.deepEqual(await ends(), ['Reshard 4 slots']);
  await run({ operation: 'heal', title: 'Heal' }, 'done');
  assert.deepEqual(await ends(), []);
  await died();
  assert.deepEqual(await ends(), [plan.title]);
});
