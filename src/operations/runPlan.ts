import { quantity } from '../model/quantity.ts';
import { isAbort, UserError } from '../model/errors.ts';
import type { Plan, Progress } from '../model/plan.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { countSlots } from '../model/slots.ts';
import { batchesOf, runTogether, type Batch } from './steps/batches.ts';
import { bind, type BoundStep } from './steps/bind.ts';
import { stepRuns, type StepRuns } from './steps/index.ts';
import type { StepPorts, Tally } from './steps/ports.ts';
import { withNodes } from './steps/step.ts';

/** Hears of each step before it acts and when it has ended, so that a run that died can be gone on with. */
export interface StepWitness {
  readonly begun: (index: number) => Promise<unknown>;
  readonly ended: (index: number, how: 'done' | 'skipped' | 'cancelled' | 'failed') => Promise<unknown>;
}

export interface RunPorts extends Omit<StepPorts, 'snapshot' | 'tally' | 'endRun' | 'keepHeld'> {
  readonly witness?: StepWitness;
}

export interface PlanResult {
  /** How many steps the servers say are done, those included that were done before. */
  readonly steps: number;
  readonly skipped: number;
  readonly movedSlots: number;
  readonly movedKeys: number;
  /** By which way slots were moved, where some were. */
  readonly method?: string;
  readonly seconds: number;
  /** The user or the end of the maintenance window stopped it at a safe point; what was done until then stays. */
  readonly cancelled: boolean;
  /** Why it stopped, where that was not by the user; goes on from "Stopped". */
  readonly why?: string;
}

/** One run of one plan; `fresh` is a reading that nothing was done after. */
interface Run {
  readonly plan: Plan;
  /** The user's, and that of a step whose time is over. */
  readonly signal: AbortSignal;
  readonly over: AbortController;
  readonly ports: RunPorts;
  readonly runs: StepRuns;
  readonly held: Map<string, { release(): void }>;
  readonly kept: { release(): void }[];
  readonly states: Map<number, 'begun' | 'done' | 'skipped'>;
  readonly tallies: Tally[];
  fresh?: ClusterSnapshot;
}

/**
 * Runs any plan, step by step: on a fresh reading of the servers a step that is done already is skipped, one that must
 * not run now stops the plan, and after it has acted the servers have to say that it is done. Agents stand back
 * meanwhile. Safe to run twice. Throws a UserError that says what was done, what was left and how to go on.
 */
export async function runPlan(plan: Plan, ports: RunPorts, runs: StepRuns = stepRuns): Promise<PlanResult> {
  const started = ports.now();
  const over = new AbortController();
  const run: Run = {
    ...{ plan, ports, runs, over, signal: AbortSignal.any([ports.signal, over.signal]) },
    ...{ held: new Map(), kept: [], states: new Map(), tallies: [] },
  };
  try {
    for (const batch of batchesOf(plan.steps)) {
      if (run.signal.aborted) break;
      await runBatch(run, batch);
    }
  } catch (error) {
    if (!(isAbort(error) && run.signal.aborted)) throw withState(run, error);
  } finally {
    for (const held of [...run.held.values(), ...run.kept]) held.release();
  }
  return resultOf(run, (ports.now() - started) / 1000);
}

function resultOf({ plan, states, tallies, over }: Run, seconds: number): PlanResult {
  const ended = [...states.values()].filter((state) => state !== 'begun');
  const methods = new Set(tallies.flatMap(({ method }) => (method === undefined ? [] : [method])));
  const sum = (figure: 'slots' | 'keys'): number =>
    tallies.reduce((total, tally) => total + (tally[figure] ?? 0), 0);
  return {
    steps: ended.length,
    skipped: ended.filter((state) => state === 'skipped').length,
    movedSlots: sum('slots'),
    movedKeys: sum('keys'),
    ...(methods.size === 0 ? {} : { method: [...methods].join(' and ') }),
    seconds,
    cancelled: ended.length < plan.steps.length,
    ...(over.signal.aborted ? { why: String(over.signal.reason) } : {}),
  };
}

async function runBatch(run: Run, batch: Batch): Promise<void> {
  const snapshot = run.fresh ?? (await run.ports.readSnapshot());
  delete run.fresh;
  await holdNewcomers(run, snapshot);
  const shared = new AbortController();
  const signal = AbortSignal.any([run.signal, shared.signal]);
  const reports = summed(run.ports.report, run, batch);
  const todo: BoundStep[] = [];
  for (const { index, step } of batch) {
    const ports = portsFor(run, snapshot, signal, reports.of(index));
    const bound = bind(withNodes(step, snapshot), index, ports, run.runs);
    if (await bound.isDone()) {
      run.states.set(index, 'skipped');
      await run.ports.witness?.ended(index, 'skipped');
      continue;
    }
    await bound.check();
    todo.push(bound);
  }
  if (todo.length === 0) {
    run.fresh = snapshot;
    return;
  }
  reports.begin(todo);
  await runTogether(todo, async (bound) => {
    try {
      await act(run, bound);
    } catch (error) {
      shared.abort();
      throw error;
    }
  });
  await verify(run, todo);
}

async function act({ ports, states }: Run, { index, act }: BoundStep): Promise<void> {
  await ports.witness?.begun(index);
  states.set(index, 'begun');
  try {
    await act();
  } catch (error) {
    await ports.witness?.ended(index, isAbort(error) ? 'cancelled' : 'failed');
    throw error;
  }
}

/** Readings after which a step counts as not done, and milliseconds between: a busy server may not answer one in time. */
const readings = 8;
const betweenReadings = 500;

/** A reading that says of all steps that they are done; after some tries one that does not. */
async function readUntilDone(
  { ports, signal, states }: Run,
  steps: readonly BoundStep[],
): Promise<ClusterSnapshot> {
  const begun = steps.filter(({ index }) => states.has(index));
  for (let left = readings - 1; ; left--) {
    const snapshot = await readAgain(ports, left);
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
async function verify(run: Run, steps: readonly BoundStep[]): Promise<void> {
  const snapshot = await readUntilDone(run, steps);
  for (const { index, step, isDoneOn } of steps) {
    if (!run.states.has(index)) continue;
    if (await isDoneOn(snapshot)) {
      run.states.set(index, 'done');
      await run.ports.witness?.ended(index, 'done');
      continue;
    }
    if (run.signal.aborted) {
      await run.ports.witness?.ended(index, 'cancelled');
      continue;
    }
    await run.ports.witness?.ended(index, 'failed');
    throw new UserError(
      'failed',
      `"${step.text}" was carried out, but the servers do not say so: something changed the cluster at the same time, such as a failover.`,
    );
  }
  run.fresh = snapshot;
}

/** Agents of nodes that answer stand back from now on, also those of nodes that joined since the step before. */
async function holdNewcomers({ held, ports }: Run, snapshot: ClusterSnapshot): Promise<void> {
  const newcomers = snapshot.nodes.filter(({ id, view }) => view !== undefined && !held.has(id));
  await Promise.all(
    newcomers.map(async ({ id }) => held.set(id, await ports.redis.holdAgents(ports.dialer, [id]))),
  );
}

function portsFor(
  { ports, kept, tallies, over }: Run,
  snapshot: ClusterSnapshot,
  signal: AbortSignal,
  report: StepPorts['report'],
): StepPorts {
  return {
    ...ports,
    ...{ snapshot, signal, report },
    tally: (figures) => tallies.push(figures),
    endRun: (why) => {
      over.abort(why);
    },
    keepHeld: (held) => kept.push(held),
  };
}

/** Adds up what the steps of a batch report, and says which step of how many it is. */
function summed(
  report: StepPorts['report'],
  { plan }: Run,
  batch: Batch,
): { begin(steps: readonly BoundStep[]): void; of(index: number): StepPorts['report'] } {
  const last = new Map<number, Progress>();
  const [first] = batch;
  const whole = batch.length === plan.steps.length;
  const place = whole || first === undefined ? '' : `step ${first.index + 1} of ${plan.steps.length}: `;
  return {
    begin: (steps) => {
      for (const { index, step } of steps) {
        if (step.kind === 'moveSlots') last.set(index, { text: '', total: countSlots(step.slots) });
      }
    },
    of: (index) => (progress) => {
      last.set(index, progress);
      const sum = (figure: 'done' | 'total'): number =>
        [...last.values()].reduce((all, one) => all + (one[figure] ?? 0), 0);
      const paused = [...last.values()].find((one) => one.paused !== undefined)?.paused;
      const figures = progress.total === undefined ? {} : { done: sum('done'), total: sum('total') };
      report({
        ...progress,
        ...figures,
        ...(paused === undefined ? {} : { paused }),
        text: `${place}${progress.text}`,
      });
    },
  };
}

function withState({ plan, states }: Run, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const [first] = plan.steps;
  if (plan.steps.length === 1) {
    // What a step itself makes of a failure has its cause; a connection that broke knows nothing of the step.
    const isBare = error.reason === 'unreachable' && error.cause === undefined;
    if (!isBare || states.get(0) !== 'begun') return error;
    return new UserError(
      error.reason,
      `${error.message}. "${first?.text ?? ''}" may be half done. When the server answers, run the same again: it goes on where this stopped.`,
      { cause: error },
    );
  }
  const texts = (wanted: (state: string | undefined) => boolean): readonly string[] =>
    plan.steps.filter((_, index) => wanted(states.get(index))).map(({ text }) => text);
  const done = texts((state) => state === 'done' || state === 'skipped');
  const unbegun = texts((state) => state === undefined);
  const parts = [
    error.message,
    `${done.length} of ${quantity(plan.steps.length, 'step')} are done.`,
    ...(unbegun.length === 0 ? [] : [`Not begun: ${listed(unbegun)}.`]),
    'What is done stays. When the reason is gone, run the same again: it goes on where this stopped.',
  ];
  return new UserError(error.reason, parts.join(' '), { cause: error });
}

function listed(texts: readonly string[]): string {
  const more = texts.length > 3 ? ` and ${texts.length - 3} more` : '';
  return texts.slice(0, 3).join('; ') + more;
}
