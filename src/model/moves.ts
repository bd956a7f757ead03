import { bytesText } from './bytes.ts';
/** While one of the first three is exceeded a move pauses before its next slots, says so, and goes on by itself afterwards. */
export interface MoveLimits {
  /** How long source or target let a PING wait, beyond the way there and back; milliseconds. */
  readonly latencyMs?: number;
  /** How far the last of the target's replicas is behind; bytes. */
  readonly lagBytes?: number;
  /** How much of its maxmemory the target uses; per cent. Says nothing about a target without maxmemory. */
  readonly memoryPercent?: number;
  /** The end of the maintenance window, in ISO 8601 with its zone: the move ends there as if it were cancelled. */
  readonly until?: string;
}

/** How slots are to be moved, whichever operation moves them. */
export interface MoveOptions {
  /** `gentle`, which is meant where nothing is said, keeps other clients' latency low; `fast` does not look at it. */
  readonly pace?: 'gentle' | 'fast';
  readonly limits?: MoveLimits;
}

/** Whether the maintenance window is over; one without an end never is. */
export function isWindowOver({ until }: MoveLimits, now = Date.now()): boolean {
  return until !== undefined && now >= Date.parse(until);
}

/** The end of a daily window of which only the time of day is known ("06:00", local time): the next such time. */
export function nextTimeOfDay(time: string, now: Date): string {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const next = new Date(now);
  next.setHours(hours, minutes, 0, 0);
  if (next <= now) next.setDate(next.getDate() + 1);
  return next.toISOString();
}

/** As people read it where they are: `Fri, Nov 27, 06:00 UTC`. */
export function timeText(time: string | number): string {
  return new Date(time).toLocaleString('en-US', {
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
}

/** What a person should know of how slots will move, in sentences; none where they move gently and without limits. */
export function moveOptionsText({ pace, limits = {} }: MoveOptions): readonly string[] {
  const { latencyMs, lagBytes, memoryPercent, until } = limits;
  const reasons = [
    ...(latencyMs === undefined ? [] : [`clients wait more than ${latencyMs.toLocaleString('en-US')} ms`]),
    ...(lagBytes === undefined ? [] : [`a replica of the target is more than ${bytesText(lagBytes)} behind`]),
    ...(memoryPercent === undefined ? [] : [`the target uses more than ${memoryPercent}% of its maxmemory`]),
  ];
  return [
    ...(pace === 'fast' ? ['Slots move fast, without regard to client latency.'] : []),
    ...(reasons.length === 0 ? [] : [`Pauses while ${reasons.join(', or while ')}.`]),
    ...(until === undefined ? [] : [`Stops on ${timeText(until)} with no slot open.`]),
  ];
}
