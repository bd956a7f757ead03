import { isDeepStrictEqual } from 'node:util';
import { clusterKey, parseClusterRef, type ClusterRef } from '../../model/clusterRef.ts';
import type { StepObserver } from './runPlan.ts';
import { journalText, type Entry } from './journalText.ts';
import { plainPlan, type Plan } from '../plans/plan.ts';

/** Where journals are kept: one list of lines for each operation, appended to and never rewritten. */
export interface JournalStore {
  /** The ids of all journals, the oldest first. */
  list(): Promise<readonly string[]>;
  /** Whole lines; one that a crash cut off may come last. */
  read(id: string): Promise<readonly string[]>;
  append(id: string, line: string): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface JournalPorts {
  readonly store: JournalStore;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Ends early, without throwing, when the signal is aborted. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** The journal of an operation that runs in this window. */
export interface OpenJournal {
  readonly observer: StepObserver;
  close(outcome: string, message: string): Promise<void>;
}

/** A plan as a journal holds it: what its steps say beside their texts is read only where it is run again. */
export interface WrittenPlan extends Omit<Plan, 'steps'> {
  readonly steps: readonly { readonly text: string }[];
}

/**
 * How an operation ended before it was finished: its window died, or was closed and stopped it at a safe point; it
 * failed, or did only a part; or a person cancelled it.
 */
export type UnfinishedEnd = 'died' | 'closed' | 'failed' | 'cancelled';

/** What a journal says of an operation that has steps left: by it a person decides, but what is done the servers say. */
export interface Unfinished {
  readonly id: string;
  readonly end: UnfinishedEnd;
  /** How many of its steps are done, of how many; absent where the operation does not write its steps down. */
  readonly steps?: { readonly done: number; readonly of: number };
  /** Their numbers, from 0. */
  readonly doneSteps: ReadonlySet<number>;
  readonly title: string;
  readonly cluster: ClusterRef;
  readonly operation: string;
  readonly request: object;
  readonly begunAt: number;
  /** When it was last heard of. */
  readonly lastAt: number;
  /** What was to be done; `readWrittenPlan` makes a plan of it that can be run. */
  readonly plan: WrittenPlan;
  /** The journal as people read it. */
  readonly text: string;
}

/** How often a running operation says that it is alive, and for how long it may be silent before it counts as dead. */
const beatMs = 5_000;
const silentMs = 30_000;
/** A window that wakes from sleep beats within this time. */
const wakeMs = 12_000;
/** How many closed journals are kept. */
const kept = 50;

/**
 * Opens a journal and keeps it alive until it is closed. Holds what a plan's document shows and when its steps began
 * and ended; a plan holds no secret.
 */
export async function openJournal(ports: JournalPorts, plan: Plan): Promise<OpenJournal> {
  const { store, clock, delay } = ports;
  const id = `${new Date(clock()).toISOString().replaceAll(':', '-')}-${plan.operation}-${Math.random().toString(36).slice(2, 8)}`;
  const write = (entry: object): Promise<void> => store.append(id, JSON.stringify({ at: clock(), ...entry }));
  await write({ plan: plainPlan(plan) });
  const over = new AbortController();
  const beating = beat(write, delay, over.signal);
  return {
    observer: {
      begun: (step) => write({ begun: step }),
      ended: (step, how) => write({ ended: step, how }),
    },
    close: async (outcome, message) => {
      over.abort();
      await beating;
      await write({ outcome, message });
      await prune(store);
    },
  };
}

async function beat(
  write: (entry: object) => Promise<void>,
  delay: JournalPorts['delay'],
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await delay(beatMs, over);
    if (over.aborted) return;
    // A disk that is full now may not be so in five seconds; the operation goes on meanwhile.
    await write({ beat: true }).catch(() => undefined);
  }
}

async function prune(store: JournalStore): Promise<void> {
  const ids = await store.list();
  for (const id of ids.slice(0, Math.max(0, ids.length - kept))) {
    const last = entriesOf(await store.read(id)).at(-1);
    if (last?.outcome !== undefined) await store.remove(id);
  }
}

/** What a journal is closed with by a window that ends before its operation. */
export const closedByWindow = 'closed';

/** Journals of operations that ended with steps left; those that may still run in a window are not among them. */
export async function endedUnfinished({ store }: JournalPorts): Promise<readonly Unfinished[]> {
  return present(await readAll(store)).filter(({ end }) => end !== 'died');
}

/**
 * Journals of operations that died: not closed, and silent for so long that even a window that has just woken would
 * have been heard of. A window that starts right after the crash waits as long. Takes a while only where there are some.
 */
export async function diedUnfinished(
  ports: JournalPorts,
  signal: AbortSignal,
): Promise<readonly Unfinished[]> {
  const open = await readDied(ports.store);
  if (open.length === 0) return [];
  const silence = ports.clock() - Math.max(...open.map(({ lastAt }) => lastAt));
  await ports.delay(Math.min(silentMs, Math.max(wakeMs, silentMs - silence)), signal);
  if (signal.aborted) return [];
  const later = new Map((await readDied(ports.store)).map((journal) => [journal.id, journal.lastAt]));
  return open.filter(({ id, lastAt }) => later.get(id) === lastAt);
}

/** Journals that nobody closed, of windows that may live, and that nothing later has replaced. */
export async function readDied(store: JournalStore): Promise<readonly Unfinished[]> {
  return present(await readAll(store)).filter(({ end }) => end === 'died');
}

/** Those with steps left, but for those that a later operation has replaced. */
function present(journals: readonly Journal[]): readonly Unfinished[] {
  return journals.flatMap((journal, index) => {
    if (journal.unfinished === undefined) return [];
    return journals.slice(index + 1).some((later) => replaces(later, journal)) ? [] : [journal.unfinished];
  });
}

interface Journal {
  readonly plan: WrittenPlan;
  /** What it was closed with. */
  readonly outcome?: string;
  readonly unfinished?: Unfinished;
}

/** The oldest first. */
async function readAll(store: JournalStore): Promise<readonly Journal[]> {
  const journals = await Promise.all(
    (await store.list()).map(async (id) => readJournal(id, await store.read(id).catch(() => []))),
  );
  return journals.filter((journal) => journal !== undefined);
}

/** What a journal tells of one run, whether or not that reached its end. */
export interface PastRun {
  readonly id: string;
  readonly plan: WrittenPlan;
  /** When it was last heard of; milliseconds since the epoch. */
  readonly lastAt: number;
  /** How it ended; absent while it runs, and where its window died. */
  readonly outcome?: string;
}

/** All runs that were written down and can still be read, the oldest first. */
export async function pastRuns({ store }: Pick<JournalPorts, 'store'>): Promise<readonly PastRun[]> {
  const runs = await Promise.all(
    (await store.list()).map(async (id): Promise<readonly PastRun[]> => {
      const entries = entriesOf(await store.read(id).catch(() => []));
      const [plan, last] = [planIn(entries[0]?.plan), entries.at(-1)];
      if (plan === undefined || last === undefined) return [];
      const { at, outcome } = last;
      return [{ id, plan, lastAt: at, ...(outcome === undefined ? {} : { outcome }) }];
    }),
  );
  return runs.flat();
}

/** Operations that leave nothing to go on with of an earlier one on the same cluster. */
const restoring: readonly string[] = ['heal', 'deploy', 'delete'];

/** Whether a later operation did what an earlier one had left, or is left in its place. */
function replaces(later: Journal, { plan }: Journal): boolean {
  if (clusterKey(later.plan.ref) !== clusterKey(plan.ref)) return false;
  const isSame = later.plan.operation === plan.operation;
  if (later.outcome === 'done') return isSame || restoring.includes(later.plan.operation);
  if (!isSame || later.unfinished === undefined) return false;
  // What resumes a reshard by number has another title, and the same request.
  return later.plan.title === plan.title || isDeepStrictEqual(later.plan.request, plan.request);
}

/** Says that a person has decided about an unfinished operation, so that nobody is asked again. */
export async function settleJournal(
  { store, clock }: JournalPorts,
  id: string,
  decision: 'resumed' | 'repaired' | 'dismissed',
): Promise<void> {
  const message = `Decision: ${decision}.`;
  await store.append(id, JSON.stringify({ at: clock(), outcome: 'settled', message }));
}

/** What cannot be read was cut off by the crash, and says nothing. */
function entriesOf(lines: readonly string[]): readonly Entry[] {
  return lines.flatMap((line) => {
    try {
      const entry = JSON.parse(line) as Partial<Entry> | null;
      return typeof entry?.at === 'number' ? [{ ...entry, at: entry.at }] : [];
    } catch {
      return [];
    }
  });
}

function readJournal(id: string, lines: readonly string[]): Journal | undefined {
  const entries = entriesOf(lines);
  const [first] = entries;
  const last = entries.at(-1);
  const plan = first?.plan === undefined ? undefined : planIn(first.plan);
  if (first === undefined || last === undefined || plan === undefined) return undefined;
  const end = endOf(plan, entries);
  if (end === undefined) return { plan, ...(last.outcome === undefined ? {} : { outcome: last.outcome }) };
  const { title, ref, operation, request, steps } = plan;
  const begun = entries.some((entry) => entry.begun !== undefined);
  const done = doneSteps(entries);
  const unfinished: Unfinished = {
    id,
    end,
    title,
    cluster: ref,
    operation,
    request,
    begunAt: first.at,
    lastAt: last.at,
    ...(begun ? { steps: { done: done.size, of: steps.length } } : {}),
    doneSteps: done,
    plan,
    text: journalText(title, steps, entries),
  };
  return { plan, unfinished, ...(last.outcome === undefined ? {} : { outcome: last.outcome }) };
}

/** How it ended with steps left; undefined where none is, where none was begun, or where a person has decided. */
function endOf({ steps }: WrittenPlan, entries: readonly Entry[]): UnfinishedEnd | undefined {
  const outcome = entries.at(-1)?.outcome;
  if (outcome === undefined) return 'died';
  if (outcome === 'done' || outcome === 'settled' || outcome === 'died') return undefined;
  if (outcome === closedByWindow) return 'closed';
  const begun = entries.some((entry) => entry.begun !== undefined);
  if (!begun || doneSteps(entries).size >= steps.length) return undefined;
  return outcome === 'cancelled' ? 'cancelled' : 'failed';
}

/** By the last that is said of each: what was done may have been taken back. */
function doneSteps(entries: readonly Entry[]): ReadonlySet<number> {
  const done = new Set<number>();
  for (const { ended, how } of entries) {
    if (ended === undefined) continue;
    if (how === 'done' || how === 'skipped') done.add(ended);
    else done.delete(ended);
  }
  return done;
}

function planIn(value: unknown): WrittenPlan | undefined {
  try {
    const given = objectFrom(value);
    return {
      title: String(given['title']),
      ref: parseClusterRef(given['cluster']),
      operation: String(given['operation']),
      request: objectFrom(given['request']),
      steps: (Array.isArray(given['steps']) ? given['steps'] : []).map((step: unknown) => {
        const written = objectFrom(step);
        return { ...written, text: String(written['text']) };
      }),
      warnings: texts(given['warnings']),
      losses: texts(given['losses']),
    };
  } catch {
    return undefined;
  }
}

function objectFrom(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError('not an object');
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
