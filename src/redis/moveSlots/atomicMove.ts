import { UserError } from '../../model/errors.ts';
import {
  eachSlot,
  parseSlots,
  splitSlots,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { pause } from '../../model/pause.ts';
import type { Guard } from './guard.ts';
import type { Tally } from './progress.ts';
import { isOver, type MoveRequest } from './request.ts';

/** How a task of the servers' own stands. */
export type TaskState =
  | { readonly kind: 'running' | 'done' | 'cancelled' }
  /** `lasting` where another try would end the same way. */
  | { readonly kind: 'failed'; readonly message: string; readonly lasting: boolean };

/** Slots that move at once, under way on the servers whatever becomes of this machine. */
export interface Task {
  state(): Promise<TaskState>;
  cancel(): Promise<void>;
}

export interface AtomicWay {
  /** Begins to move these slots, or joins in where an earlier run has begun just these. Throws UserError. */
  begin(slots: SlotSet): Promise<Task>;
  /** What is under way to this target already: a run that was killed leaves its task to the servers. */
  underWay(): Promise<readonly SlotSet[]>;
}

export interface AtomicMove {
  readonly request: MoveRequest;
  readonly dialSource: () => Promise<NodeConnection>;
  readonly target: NodeConnection;
  readonly slots: SlotSet;
  readonly way: AtomicWay;
  readonly guard: Guard;
  readonly tally: Tally;
  /** Memory of a key of the source on average, for the progress. */
  readonly bytesPerKey: number;
  readonly onMoved: (slots: SlotSet) => void;
  /** How long a task may fail again and again, or its source be silent, before it is given up; milliseconds. */
  readonly patienceMs: number;
}

/** Each task costs the source a fork and can be cancelled only as a whole. */
const slotsPerTask = { fast: 8192, gentle: 2048 } as const;
const firstPollMs = 5;
const slowestPollMs = 250;

/**
 * Moves slots by the servers' own tasks, one after the other. Cancelling cancels the
 * task in hand, of which nothing has moved then. Throws UserError where a task fails for good; it is cancelled first.
 */
export async function moveAtomically(move: AtomicMove): Promise<void> {
  const { request, slots, guard, tally } = move;
  const begun = (await move.way.underWay()).filter((set) => subtractSlots(set, slots).length === 0);
  const rest = subtractSlots(slots, unionSlots(...begun));
  const source = listenTo(move.dialSource);
  try {
    for (const piece of [...begun, ...splitSlots(rest, slotsPerTask[request.pace ?? 'gentle'])]) {
      await guard.pass();
      if (isOver(request) || !(await finish(move, piece, source.silentMs))) return;
      move.onMoved(piece);
      const keys = await countKeys(move.target, piece);
      tally.add({ slots: piece, keys, bytes: keys * move.bytesPerKey });
    }
  } finally {
    source.stop();
  }
}

/**
 * Says for how many milliseconds a server has not answered. A Redis 8.6 that imports waits for ever for a source that
 * stands still while the two get in touch, and calls that no failure.
 */
function listenTo(dial: () => Promise<NodeConnection>): {
  readonly silentMs: () => number;
  readonly stop: () => void;
} {
  const stopped = new AbortController();
  let heard = performance.now();
  let connection: NodeConnection | undefined;
  const listen = async (): Promise<void> => {
    try {
      connection ??= await dial();
      await connection.call('PING');
      heard = performance.now();
    } catch {
      connection = undefined;
    }
  };
  void (async () => {
    while (!stopped.signal.aborted) {
      await listen();
      await pause(slowestPollMs, stopped.signal);
    }
  })().catch(() => undefined);
  return {
    silentMs: () => performance.now() - heard,
    stop: () => {
      stopped.abort();
    },
  };
}

/** Whether the slots have moved; they have not where the user cancelled in time. */
async function finish(move: AtomicMove, slots: SlotSet, silentMs: () => number): Promise<boolean> {
  let task = await move.way.begin(slots);
  let isCancelling = false;
  const failures = failureClock();
  for (let wait = firstPollMs; ; wait = Math.min(slowestPollMs, wait * 1.2)) {
    const state = await task.state();
    if (state.kind === 'done') return true;
    const isStopped = isOver(move.request);
    if (state.kind === 'cancelled') {
      if (isStopped) return false;
      throw new UserError('failed', 'Someone else cancelled the slot migration on the servers.');
    }
    const failingMs = failures.note(state.kind === 'failed');
    if (state.kind === 'failed') {
      const isHopeless = state.lasting || failingMs > move.patienceMs;
      if (isStopped || isHopeless) await task.cancel();
      if (isStopped) return false;
      if (isHopeless)
        throw new UserError('failed', `The servers gave up the slot migration: ${state.message}.`);
      await pause(500);
      task = await move.way.begin(slots);
    } else if (silentMs() > move.patienceMs) {
      await task.cancel();
      const seconds = Math.round(silentMs() / 1000);
      throw new UserError(
        'unreachable',
        `The servers gave up the slot migration: the source has not answered for ${seconds} s.`,
      );
    } else if (isStopped && !isCancelling) {
      isCancelling = true;
      await task.cancel();
    }
    await pause(wait);
  }
}

/** Says for how long a task has been failing; one that has run on for a while has got over it. */
function failureClock(): { note(isFailed: boolean): number } {
  let failingSince: number | undefined;
  let runningSince: number | undefined;
  return {
    note: (isFailed) => {
      const now = performance.now();
      if (isFailed) {
        runningSince = undefined;
        failingSince ??= now;
      } else {
        runningSince ??= now;
        if (now - runningSince > 5000) failingSince = undefined;
      }
      return failingSince === undefined ? 0 : now - failingSince;
    },
  };
}

async function countKeys(target: NodeConnection, slots: SlotSet): Promise<number> {
  const counts = await target.pipeline(
    [...eachSlot(slots)].map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
}

/** `0-9 20`, as both servers write the slots of a task. */
export function taskSlots(slots: SlotSet): string {
  return slots.map(([start, end]) => (start === end ? String(start) : `${start}-${end}`)).join(' ');
}

/** Reads `0-9 20`. */
export function parseTaskSlots(text: string): SlotSet {
  return parseSlots(text.replaceAll(' ', ','));
}

/** A flat list of names and values, as both servers describe a task. */
export function taskFields(entry: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (!Array.isArray(entry)) return fields;
  for (let index = 0; index + 1 < entry.length; index += 2) {
    fields.set(String(entry[index]), String(entry[index + 1]));
  }
  return fields;
}
