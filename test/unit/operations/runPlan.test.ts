import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoppedError, UserError } from '../../../src/model/errors.ts';
import { outcomeOf } from '../../../src/model/outcome.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { countSlots, formatSlots, type SlotSet } from '../../../src/model/slots.ts';
import { runPlan, type RunPorts } from '../../../src/operations/run/runPlan.ts';
import { stepKinds, type Step, type StepKinds, type StepOf } from '../../../src/operations/steps/index.ts';
import { concurrentMoves } from '../../../src/redis/moveSlots/concurrentMoves.ts';
import type { StepPorts } from '../../../src/operations/steps/ports.ts';
import { snapshotOf, source } from '../sample.ts';

/** A cluster in which forgetting a node is one entry in a set. */
function world(steps: readonly Step[]) {
  const forgotten = new Set<string>();
  const log: string[] = [];
  const stop = new AbortController();
  const plan: Plan = {
    ...{ title: 'Forget', ref: { addresses: ['h:1'] }, operation: 'forget', request: {} },
    ...{ steps, warnings: [], losses: [] },
  };
  const released: string[] = [];
  const redis = {
    concurrentMoves,
    pauseAgents: (_: unknown, [id = '']: readonly string[]) => {
      log.push(`hold ${id}`);
      return Promise.resolve({ release: () => released.push(id) });
    },
  } as unknown as StepPorts['redis'];
  const ports: RunPorts = {
    readSnapshot: () => {
      log.push('read');
      return Promise.resolve(snapshotOf([source('m0'), source('m1')]));
    },
    dialer: { credentials: {}, dial: () => Promise.reject(new Error('nobody dials here')) },
    redis,
    report: ({ text }) => log.push(`report ${text}`),
    signal: stop.signal,
    now: () => 0,
    delay: () => Promise.resolve(),
    observer: {
      begun: (index) => Promise.resolve(void log.push(`begun ${index}`)),
      ended: (index, how) => Promise.resolve(void log.push(`ended ${index} ${how}`)),
    },
  };
  const runs: StepKinds = {
    ...stepKinds,
    forget: {
      ...stepKinds.forget,
      isDone: ({ node }) => forgotten.has(node),
      check: ({ node }) => {
        if (node === 'refused') throw new UserError('unsafe', 'Not now.');
      },
      act: ({ node }, { report, endRun }) => {
        log.push(`act ${node}`);
        report({ text: node });
        if (node === 'gone')
          return Promise.reject(new UserError('unreachable', 'h:1 did not answer: closed'));
        if (node === 'stops') stop.abort();
        else if (node === 'late') endRun('at six');
        else if (node !== 'unheard') forgotten.add(node);
        return Promise.resolve();
      },
    },
  };
  return { plan, ports, runs, forgotten, log, released, stop };
}

const forget = (node: string): Step => ({ kind: 'forget', node, text: `Forget ${node}` });

test('each step is checked on a reading after the one before, and verified on one after itself', async () => {
  const { plan, ports, runs, log, released } = world([forget('x'), forget('y')]);
  const result = await runPlan(plan, ports, runs);
  assert.deepEqual(log, [
    ...['read', 'hold m0', 'hold m1', 'begun 0', 'act x', 'report step 1 of 2: x', 'read', 'ended 0 done'],
    ...['begun 1', 'act y', 'report step 2 of 2: y', 'read', 'ended 1 done'],
  ]);
  assert.deepEqual([result.steps, result.skipped, result.cancelled], [2, 0, false]);
  assert.deepEqual(released, ['m0', 'm1']);
});

test('a plan run twice does nothing the second time', async () => {
  const { plan, ports, runs, log } = world([forget('x'), forget('y')]);
  await runPlan(plan, ports, runs);
  log.length = 0;
  const result = await runPlan(plan, ports, runs);
  assert.deepEqual(log.slice(3), ['ended 0 skipped', 'ended 1 skipped']);
  assert.deepEqual([result.steps, result.skipped], [2, 2]);
});

test('a refusal stops the plan and says what was done and what was not begun', async () => {
  const { plan, ports, runs, forgotten, released } = world([forget('x'), forget('refused'), forget('y')]);
  await assert.rejects(runPlan(plan, ports, runs), (error) => {
    assert.ok(error instanceof UserError && error.reason === 'unsafe');
    assert.match(error.message, /^Not now\. 1 of 3 steps done\. Not started: Forget refused; Forget y\./);
    return true;
  });
  assert.deepEqual([...forgotten], ['x']);
  assert.equal(released.length, 2);
});

test('a step that the servers do not confirm is a failure', async () => {
  const { plan, ports, runs, log } = world([forget('unheard'), forget('y')]);
  await assert.rejects(runPlan(plan, ports, runs), /"Forget unheard" was carried out, but the servers/);
  assert.equal(log.at(-1), 'ended 0 failed');
});

test('stopping ends the plan between steps, and it is no error', async () => {
  const { plan, ports, runs, forgotten, log, released } = world([forget('x'), forget('stops'), forget('y')]);
  const result = await runPlan(plan, ports, runs);
  assert.deepEqual([result.cancelled, result.steps], [true, 1]);
  assert.deepEqual([...forgotten], ['x']);
  assert.equal(log.at(-1), 'ended 1 cancelled');
  assert.equal(released.length, 2);
});

test('a step whose time is over ends the plan as if it was stopped, and says why', async () => {
  const { plan, ports, runs, log } = world([forget('x'), forget('late'), forget('y')]);
  const result = await runPlan(plan, ports, runs);
  assert.deepEqual([result.cancelled, result.steps, result.why], [true, 1, 'at six']);
  assert.equal(log.at(-1), 'ended 1 cancelled');
});

const move = (from: string, to: string, slots: SlotSet): Step => ({
  ...{ kind: 'moveSlots', from, to, slots },
  text: `Move from ${from} to ${to}`,
});

/** Moves that end when the test says so. */
function moves(steps: readonly Step[]) {
  const base = world(steps);
  const ends = new Map<string, PromiseWithResolvers<undefined>>();
  const done = new Set<string>();
  const running = new Set<string>();
  const seen: StepPorts[] = [];
  const runs: StepKinds = {
    ...base.runs,
    moveSlots: {
      ...stepKinds.moveSlots,
      isDone: ({ from, to }) => done.has(from + to),
      check: () => undefined,
      act: async ({ from, to }, ports) => {
        seen.push(ports);
        running.add(from + to);
        const end = Promise.withResolvers<undefined>();
        ends.set(from + to, end);
        await end.promise.finally(() => running.delete(from + to));
        ports.report({ text: `${from}${to}`, done: 10, total: 10, unit: 'slots' });
        ports.tally({ slots: 10, keys: 5, method: 'migrate' });
        done.add(from + to);
      },
    },
  };
  return { ...base, runs, ends, running, seen };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise(setImmediate);
  assert.ok(condition());
}

test('moves between different pairs go on at the same time, at most two on a node', async () => {
  const slots: SlotSet = [[0, 9]];
  const steps = [move('a', 'x', slots), move('b', 'x', slots), move('c', 'x', slots), move('c', 'y', slots)];
  const { plan, ports, runs, ends, running, log } = moves(steps);
  const result = runPlan(plan, ports, runs);
  await until(() => running.size === 3);
  assert.deepEqual([...running].sort(), ['ax', 'bx', 'cy']);
  ends.get('ax')?.resolve(undefined);
  await until(() => running.has('cx'));
  for (const end of ends.values()) end.resolve(undefined);
  const { movedSlots, movedKeys, method, steps: count } = await result;
  assert.deepEqual([movedSlots, movedKeys, method, count], [40, 20, 'migrate', 4]);
  assert.equal(log.filter((line) => line === 'read').length, 2);
});

test('while one of several moves pauses, what is reported says so', async () => {
  const slots: SlotSet = [[0, 9]];
  const { plan, ports, runs, ends, seen } = moves([move('a', 'x', slots), move('b', 'y', slots)]);
  const pauses: (string | undefined)[] = [];
  const report: RunPorts['report'] = ({ paused }) => void pauses.push(paused);
  const result = runPlan(plan, { ...ports, report }, runs);
  await until(() => ends.size === 2);
  seen[0]?.report({ text: 'ax', paused: 'Paused: full.' });
  seen[1]?.report({ text: 'by' });
  seen[0]?.report({ text: 'ax' });
  assert.deepEqual(pauses, ['Paused: full.', 'Paused: full.', undefined]);
  for (const end of ends.values()) end.resolve(undefined);
  assert.equal((await result).steps, 2);
});

test('when one of several moves fails, the others are told to stop and no further one begins', async () => {
  const slots: SlotSet = [[0, 9]];
  const steps = [move('a', 'x', slots), move('b', 'x', slots), move('c', 'x', slots)];
  const { plan, ports, runs, ends, running, seen } = moves(steps);
  const result = runPlan(plan, ports, runs);
  await until(() => running.size === 2);
  ends.get('ax')?.reject(new UserError('unreachable', 'x is gone.'));
  await until(() => seen.every(({ signal }) => signal.aborted));
  ends.get('bx')?.resolve(undefined);
  await assert.rejects(result, /^UserError: x is gone\. .*Not started: Move from c to x\./);
});

test('pods stand for nodes that join while the plan runs', async () => {
  const steps: Step[] = [{ ...move('m0', '', [[0, 9]]), pod: 'cart-1' } as Step];
  const { plan, ports, runs, ends } = moves(steps);
  const result = runPlan(plan, ports, runs);
  await until(() => ends.has('m0m1'));
  ends.get('m0m1')?.resolve(undefined);
  assert.equal((await result).steps, 1);
  const foreign: Step[] = [{ ...move('m0', '', [[0, 9]]), pod: 'cart-9' } as Step];
  await assert.rejects(runPlan({ ...plan, steps: foreign }, ports, runs), /pod cart-9 is not a member/);
});

test('a connection that broke in the middle of an only step says what may be half done, and what to do', async () => {
  const { plan, ports, runs } = world([{ kind: 'forget', node: 'gone', text: 'Forget gone' }]);
  await assert.rejects(
    runPlan(plan, ports, runs),
    /h:1 did not answer: closed\. "Forget gone" may be half done\. Run it again when the server answers/,
  );
});

/** Moves of which some leave slots behind; what follows them is forgetting. */
function leaving(steps: readonly Step[], behind: (step: StepOf<'moveSlots'>) => SlotSet) {
  const base = world(steps);
  const moved = new Set<string>();
  const runs: StepKinds = {
    ...base.runs,
    moveSlots: {
      ...stepKinds.moveSlots,
      isDone: ({ from }) => moved.has(from),
      check: () => undefined,
      act: (step, ports) => {
        const slots = behind(step);
        ports.tally({ slots: countSlots(step.slots) - countSlots(slots), keys: 4, longestWaitMs: 7.2 });
        if (slots.length > 0) ports.leave({ slots, why: `Slot ${formatSlots(slots)} stays.` });
        else moved.add(step.from);
        return Promise.resolve();
      },
    },
  };
  return { ...base, runs };
}

test('a step that leaves slots behind lets other moves go on, and nothing that counts on them', async () => {
  const steps = [move('a', 'x', [[0, 9]]), move('b', 'y', [[10, 19]]), forget('a')];
  const { plan, ports, runs, forgotten, log } = leaving(steps, ({ from }) => (from === 'a' ? [[5, 5]] : []));
  const result = await runPlan(plan, ports, runs);
  assert.deepEqual([...forgotten], []);
  assert.deepEqual([result.movedSlots, result.leftSlots, result.leftWhy], [19, '5', ['Slot 5 stays.']]);
  assert.deepEqual([result.steps, result.cancelled, result.longestWaitMs], [1, false, 7]);
  assert.ok(log.includes('ended 0 failed') && log.includes('ended 1 done'));
});

test('what had begun is never called refused, and the result says what was reached', async () => {
  const { plan, ports, runs } = leaving([move('a', 'x', [[0, 299]]), forget('refused')], () => []);
  await assert.rejects(runPlan(plan, ports, runs), (error) => {
    assert.ok(error instanceof StoppedError && error.reason === 'unsafe');
    assert.equal(outcomeOf(error), 'partial');
    assert.deepEqual(error.reached, {
      ...{ steps: 1, skipped: 0, movedSlots: 300, movedKeys: 4, longestWaitMs: 7, seconds: 0 },
      ...{ cancelled: false, totalSteps: 2 },
    });
    assert.match(
      error.message,
      /^Not now\. 1 of 2 steps done\. 300 of 300 slots moved\. Not started: Forget/,
    );
    return true;
  });
  const unbegun = world([forget('refused')]);
  await assert.rejects(runPlan(unbegun.plan, unbegun.ports, unbegun.runs), (error) => {
    return error instanceof UserError && outcomeOf(error) === 'refused';
  });
});

test('after a step that asked by itself the servers are read before one that trusts a reading', async () => {
  const text = (name: string): Step => ({ kind: 'deleteVolumes', claims: [name], text: `Delete ${name}` });
  const { plan, ports, runs, log } = world([forget('x'), text('a'), text('b'), forget('y')]);
  const gone = new Set(['b']);
  const deleteVolumes: StepKinds['deleteVolumes'] = {
    ...stepKinds.deleteVolumes,
    isDone: ({ claims }) => claims.every((name) => gone.has(name)),
    check: () => undefined,
    act: ({ claims }) => {
      for (const name of claims) gone.add(name);
      return Promise.resolve();
    },
  };
  await runPlan(plan, ports, { ...runs, deleteVolumes });
  assert.deepEqual(log.slice(log.indexOf('ended 0 done')), [
    ...['ended 0 done', 'begun 1', 'ended 1 done', 'ended 2 skipped', 'read', 'begun 3', 'act y'],
    ...['report step 4 of 4: y', 'read', 'ended 3 done'],
  ]);
});
