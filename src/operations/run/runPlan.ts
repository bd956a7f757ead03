import { agentHolds, type AgentHolds } from './agentHolds.ts';
import { batchReports } from './batchReports.ts';
import { isAbort, UserError } from '../../model/errors.ts';
import type { ConcurrentMoves } from '../../redis/moveSlots/concurrentMoves.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { unreadSnapshot } from '../../model/unread.ts';
import type { Plan } from '../plans/plan.ts';
import { refuseDuplicates } from '../refusals/refuseDuplicates.ts';
import { resultOf, withState, type PlanResult, type Reached, type StepState } from './planResult.ts';
import { batchesOf, runTogether, type Batch } from '../steps/batches.ts';
import { bind, type BoundStep } from '../steps/bind.ts';
import { actionsOf, asksByItself, stepKinds, type StepKinds } from '../steps/index.ts';
import type { Left, StepPorts, Tally } from '../steps/ports.ts';

/** Is told of each step before it acts and when it has ended, so that an interrupted run can be resumed. */
export interface StepObserver {
  readonly begun: (index: number) => Promise<unknown>;
  readonly ended: (index: number, how: 'done' | 'skipped' | 'cancelled' | 'failed') => Promise<unknown>;
}

export interface RunPorts extends Omit<
  StepPorts,
  'snapshot' | 'moves' | 'tally' | 'leave' | 'takenBackBy' | 'endRun' | 'keepPaused'
> {
  readonly observer?: StepObserver;
}

/** One run of one plan. */
interface Run {
  readonly plan: Plan;
  /** The user's, and that of a step whose time is over. */
  readonly signal: AbortSignal;
  readonly over: AbortController;
  readonly ports: RunPorts;
  readonly kinds: StepKinds;
  readonly holds: AgentHolds;
  readonly moves: ConcurrentMoves;
  readonly kept: { release(): void }[];
  readonly states: Map<number, StepState>;
  readonly tallies: Tally[];
  readonly left: Left[];
  /** Of neighbouring steps of one kind, in the order in which they were done. */
  readonly toUndo: { readonly index: number; readonly undo: () => Promise<unknown> }[];
  /** `isFresh`: nothing was done after it; one that is not is good enough for steps that ask by themselves. */
  reading?: { readonly snapshot: ClusterSnapshot; readonly isFresh: boolean };
}

/**
 * Runs any plan, step by step: on a fresh reading of the servers a step that is done already is skipped, one that must
 * not run now stops the plan, and after it has acted the servers have to say that it is done. Agents stand back
 * meanwhile. Safe to run twice. Throws a UserError that says what was done, what was left and how to go on.
 */
export async function runPlan(
  plan: Plan,
  ports: RunPorts,
  kinds: StepKinds = stepKinds,
): Promise<PlanResult> {
  const started = ports.now();
  const over = new AbortController();
  const run: Run = {
    plan,
    ports,
    kinds,
    over,
    signal: AbortSignal.any([ports.signal, over.signal]),
    holds: agentHolds(ports),
    moves: ports.redis.concurrentMoves(),
    kept: [],
    states: new Map(),
    tallies: [],
    left: [],
    toUndo: [],
    // No server is read for it: there may be none, such as of a cluster that is deployed.
    ...(asksByItself(plan, kinds) ? { reading: { snapshot: unreadSnapshot(plan.ref), isFresh: false } } : {}),
  };
  try {
    for (const batch of batchesOf(plan.steps)) {
      if (run.signal.aborted || mustNotFollow(run, batch)) break;
      await runBatch(run, batch);
    }
  } catch (error) {
    await takeBack(run);
    if (!(isAbort(error) && run.signal.aborted)) throw withState(reachedBy(run, started), error);
  } finally {
    run.holds.release();
    for (const held of run.kept) held.release();
  }
  return resultOf(reachedBy(run, started));
}

/** What else a plan does counts on all slots having moved; other moves do not. */
function mustNotFollow({ left }: Run, batch: Batch): boolean {
  return left.length > 0 && batch.some(({ step }) => actionsOf(step).move === undefined);
}

function reachedBy({ plan, states, tallies, left, ports, over, signal }: Run, started: number): Reached {
  return {
    plan,
    states,
    tallies,
    left,
    isStopped: signal.aborted,
    seconds: (ports.now() - started) / 1000,
    ...(over.signal.aborted ? { why: String(over.signal.reason) } : {}),
  };
}

async function runBatch(run: Run, batch: Batch): Promise<void> {
  const isAsked = batch.every(({ step }) => run.kinds[step.kind].shownBy === 'asking');
  if (run.reading === undefined || !(isAsked || run.reading.isFresh)) {
    run.reading = { snapshot: await run.ports.readSnapshot(), isFresh: true };
  }
  const { snapshot } = run.reading;
  refuseDuplicates(snapshot);
  if (batch.some(({ step }) => actionsOf(step, run.kinds).needsAgents(step))) run.holds.release();
  else await run.holds.add(snapshot);
  const shared = new AbortController();
  const signal = AbortSignal.any([run.signal, shared.signal]);
  const reports = batchReports(run.ports.report, run.plan, batch);
  const todo: BoundStep[] = [];
  for (const { index, step } of batch) {
    const ports = portsFor(run, index, snapshot, signal, reports.of(index));
    const bound = bind(step, index, ports, run.kinds);
    if (await bound.isDone()) {
      run.states.set(index, 'skipped');
      await run.ports.observer?.ended(index, 'skipped');
      continue;
    }
    await bound.check();
    todo.push(bound);
  }
  if (todo.length === 0) return;
  if (run.toUndo.some(({ index }) => run.plan.steps[index]?.kind !== todo[0]?.step.kind))
    run.toUndo.length = 0;
  reports.begin(todo);
  await runTogether(todo, async (bound) => {
    try {
      await act(run, bound);
    } catch (error) {
      shared.abort();
      throw error;
    }
  });
  await verify(run, todo, isAsked ? snapshot : undefined);
}

/** Undoes what can be, the newest first: a step that was done is then not. */
async function takeBack({ toUndo, states, ports }: Run): Promise<void> {
  for (const { index, undo } of toUndo.reverse()) {
    await undo();
    if (states.get(index) !== 'done') continue;
    states.delete(index);
    await ports.observer?.ended(index, 'cancelled');
  }
}

async function act({ ports, states }: Run, { index, act }: BoundStep): Promise<void> {
  await ports.observer?.begun(index);
  states.set(index, 'begun');
  try {
    await act();
    if (states.get(index) === 'left') await ports.observer?.ended(index, 'failed');
  } catch (error) {
    await ports.observer?.ended(index, isAbort(error) ? 'cancelled' : 'failed');
    throw error;
  }
}

/** Readings after which a step counts as not done, and milliseconds between: a busy server may not answer one in time. */
const readings = 8;
const betweenReadings = 500;

/**
 * A reading on which all steps are done; after some tries one on which they are not.
 * @param before the reading to stay with where the steps ask by themselves
 */
async function readUntilDone(
  { ports, signal, states }: Run,
  steps: readonly BoundStep[],
  before: ClusterSnapshot | undefined,
): Promise<ClusterSnapshot> {
  const begun = steps.filter(({ index }) => states.get(index) === 'begun');
  for (let left = readings - 1; ; left--) {
    const snapshot = before ?? (await readAgain(ports, left));
    if (snapshot === undefined) {
      await ports.delay(betweenReadings, signal);
      continue;
    }
    const done = await Promise.all(begun.map(async ({ isDoneOn }) => await isDoneOn(snapshot)));
    if (left === 0 || done.every(Boolean) || signal.aborted) return snapshot;
    await ports.delay(betweenReadings, signal);
  }
}

/** Undefined where not a single server answered in time and there are tries left. */
async function readAgain({ readSnapshot }: RunPorts, left: number): Promise<ClusterSnapshot | undefined> {
  try {
    return await readSnapshot();
  } catch (error) {
    if (left > 0 && error instanceof UserError && error.reason === 'unreachable') return undefined;
    throw error;
  }
}

/** Insists that the servers say what the steps were to bring about. */
async function verify(
  run: Run,
  steps: readonly BoundStep[],
  before: ClusterSnapshot | undefined,
): Promise<void> {
  const snapshot = await readUntilDone(run, steps, before);
  for (const { index, step, isDoneOn } of steps) {
    if (!run.states.has(index) || run.states.get(index) === 'left') continue;
    if (await isDoneOn(snapshot)) {
      run.states.set(index, 'done');
      await run.ports.observer?.ended(index, 'done');
      continue;
    }
    if (run.signal.aborted) {
      await run.ports.observer?.ended(index, 'cancelled');
      continue;
    }
    await run.ports.observer?.ended(index, 'failed');
    throw new UserError(
      'failed',
      `"${step.text}" was carried out, but the servers do not confirm it: something else changed the cluster at the same time, such as a failover.`,
    );
  }
  run.reading = { snapshot, isFresh: before === undefined };
}

function portsFor(
  { ports, moves, kept, tallies, left, toUndo, states, over }: Run,
  index: number,
  snapshot: ClusterSnapshot,
  signal: AbortSignal,
  report: StepPorts['report'],
): StepPorts {
  return {
    ...ports,
    snapshot,
    moves,
    signal,
    report,
    tally: (figures) => tallies.push(figures),
    leave: (slots) => {
      states.set(index, 'left');
      left.push(slots);
    },
    takenBackBy: (undo) => toUndo.push({ index, undo }),
    endRun: (why) => {
      over.abort(why);
    },
    keepPaused: (held) => kept.push(held),
  };
}
