import { parseClusterRef, type ClusterRef } from '../model/clusterRef.ts';
import type { Plan } from '../model/plan.ts';
import type { StepWitness } from './runPlan.ts';
import { canSave } from './planFile.ts';
import { isFiled, objectFrom, stepFromFile, stepToFile } from './planFile/shapes.ts';

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
  readonly witness: StepWitness;
  close(outcome: string, message: string): Promise<void>;
}

/** What a journal says that was not closed: by it a person decides, but what is to be done the servers say. */
export interface Unfinished {
  readonly id: string;
  readonly title: string;
  readonly cluster: ClusterRef;
  readonly operation: string;
  readonly request: object;
  readonly begunAt: number;
  /** When it was last heard of. */
  readonly lastAt: number;
  /** The plan, where its steps say all that it takes to run them. */
  readonly plan?: Plan;
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
    witness: {
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

/** Only what every plan has: what an operation adds to its own plans is not asked whether it may be written down. */
function plainPlan(plan: Plan): object {
  const { title, ref, operation, request, steps, warnings, losses } = plan;
  return {
    ...{ title, cluster: ref, operation, request, warnings, losses },
    steps: steps.map((step) =>
      isFiled(step) ? { ...stepToFile(step), text: step.text } : { kind: step.kind, text: step.text },
    ),
  };
}

/**
 * Journals of operations that died: not closed, and silent for so long that even a window that has just woken would
 * have been heard of. A window that starts right after the crash waits as long. Takes a while only where there are some.
 */
export async function unfinishedJournals(
  ports: JournalPorts,
  signal: AbortSignal,
): Promise<readonly Unfinished[]> {
  const open = await readAll(ports.store);
  if (open.length === 0) return [];
  const silence = ports.clock() - Math.max(...open.map(({ lastAt }) => lastAt));
  await ports.delay(Math.min(silentMs, Math.max(wakeMs, silentMs - silence)), signal);
  if (signal.aborted) return [];
  const later = new Map((await readAll(ports.store)).map((journal) => [journal.id, journal.lastAt]));
  return open.filter(({ id, lastAt }) => later.get(id) === lastAt);
}

async function readAll(store: JournalStore): Promise<readonly Unfinished[]> {
  const journals = await Promise.all(
    (await store.list()).map(async (id) => readUnfinished(id, await store.read(id).catch(() => []))),
  );
  return journals.filter((journal) => journal !== undefined);
}

/** What a journal tells of one run, whether or not that reached its end. */
export interface PastRun {
  readonly id: string;
  readonly plan: Plan;
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

/** Says that a person has decided about an unfinished operation, so that nobody is asked again. */
export async function settleJournal(
  { store, clock }: JournalPorts,
  id: string,
  decision: 'goOn' | 'putRight' | 'dismissed',
): Promise<void> {
  const message = `A person decided: ${decision}.`;
  await store.append(id, JSON.stringify({ at: clock(), outcome: 'died', message }));
}

interface Entry {
  readonly at: number;
  readonly plan?: unknown;
  readonly begun?: number;
  readonly ended?: number;
  readonly how?: string;
  readonly outcome?: string;
  readonly message?: string;
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

function readUnfinished(id: string, lines: readonly string[]): Unfinished | undefined {
  const entries = entriesOf(lines);
  const [first] = entries;
  const last = entries.at(-1);
  if (first?.plan === undefined || last === undefined || last.outcome !== undefined) return undefined;
  const said = planIn(first.plan);
  if (said === undefined) return undefined;
  const { title, ref, operation, request, steps } = said;
  return {
    ...{ id, title, cluster: ref, operation, request, begunAt: first.at, lastAt: last.at },
    ...(canSave(said) ? { plan: said } : {}),
    text: journalText(title, steps, entries),
  };
}

/** A plan whose steps are not all of kinds that can be run from their data keeps their texts only. */
function planIn(value: unknown): Plan | undefined {
  try {
    const given = objectFrom(value, 'plan');
    const steps = (Array.isArray(given['steps']) ? given['steps'] : []).map((step: unknown, index) => {
      const said = objectFrom(step, `steps[${index}]`);
      const text = String(said['text']);
      const kind = said['kind'] as Plan['steps'][number]['kind'];
      const other = { kind, text } as Plan['steps'][number];
      return isFiled(other) ? { ...stepFromFile(step, `steps[${index}]`), text } : other;
    });
    return {
      ...{ title: String(given['title']), ref: parseClusterRef(given['cluster']) },
      ...{ operation: String(given['operation']), request: objectFrom(given['request'], 'request') },
      ...{ steps, warnings: texts(given['warnings']), losses: texts(given['losses']) },
    };
  } catch {
    return undefined;
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function journalText(title: string, steps: Plan['steps'], entries: readonly Entry[]): string {
  const time = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  const lines = entries.flatMap(({ at, plan, begun, ended, how }) => {
    if (plan !== undefined) return [`${time(at)}  begun`];
    if (begun !== undefined) return [`${time(at)}  step ${begun + 1} begun: ${steps[begun]?.text ?? ''}`];
    return ended === undefined ? [] : [`${time(at)}  step ${ended + 1} ${how ?? 'ended'}`];
  });
  const last = entries.at(-1);
  const silent = last === undefined ? [] : [`${time(last.at)}  heard of for the last time`];
  const plan = steps.map(({ text }, index) => `${index + 1}. ${text}`);
  return [title, 'Times are UTC.', '', ...plan, '', ...lines, ...silent, ''].join('\n');
}
