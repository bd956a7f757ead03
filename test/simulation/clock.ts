import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

interface Timer {
  readonly at: number;
  readonly every?: number;
  readonly fire: () => void;
}

/**
 * Virtual time: what the product's code waits for happens when the simulation says so, and takes no real time. Only
 * one clock is the current one; timers of a run that was killed are forgotten with `clear`.
 */
export interface Clock {
  now(): number;
  advance(milliseconds: number): void;
  waiting(): boolean;
  /** Goes to the earliest timer and lets it fire, so many milliseconds late. */
  fireNext(late: number): void;
  clear(): void;
}

let timers: Timer[] = [];
let time = 0;
let installed = false;

/** Puts virtual time in the place of this process's, for good; meant for a process or thread that does nothing else. */
export function startClock(): Clock {
  timers = [];
  time = 1_700_000_000_000;
  if (!installed) install();
  return {
    now: () => time,
    advance: (milliseconds) => {
      time += milliseconds;
    },
    waiting: () => timers.length > 0,
    fireNext,
    clear: () => {
      timers = [];
    },
  };
}

function fireNext(late: number): void {
  const next = timers.reduce((first, timer) => (timer.at < first.at ? timer : first));
  timers.splice(timers.indexOf(next), 1);
  time = Math.max(time, next.at) + late;
  if (next.every !== undefined) timers.push({ ...next, at: time + next.every });
  next.fire();
}

function start(delay: number, fire: () => void, every?: number): Timer {
  const timer = { at: time + delay, fire, ...(every === undefined ? {} : { every }) };
  timers.push(timer);
  return timer;
}

function stop(timer: unknown): void {
  const index = timers.findIndex((candidate) => candidate === timer);
  if (index >= 0) timers.splice(index, 1);
}

async function sleep(
  delay: number,
  value?: unknown,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<unknown> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = start(delay, () => {
    resolve(value);
  });
  signal?.addEventListener(
    'abort',
    () => {
      stop(timer);
      reject(new DOMException('The operation was aborted', 'AbortError'));
    },
    { once: true },
  );
  return await promise;
}

function install(): void {
  installed = true;
  Object.assign(timersPromises, { setTimeout: sleep });
  syncBuiltinESMExports();
  Object.assign(globalThis, {
    setTimeout: (fire: () => void, delay = 0) => start(delay, fire),
    setInterval: (fire: () => void, delay = 0) => start(delay, fire, delay),
    clearTimeout: stop,
    clearInterval: stop,
  });
  Date.now = () => time;
  Object.defineProperty(performance, 'now', { value: () => time });
  const idle = { idle: 0, active: 0, utilization: 0 };
  Object.defineProperty(performance, 'eventLoopUtilization', { value: () => idle });
}
