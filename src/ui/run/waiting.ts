import { pause } from '../../model/pause.ts';

/** The clock that operations wait by; unit tests of operations hand in their own. */
export const waiting = {
  /** Milliseconds that only go forward. */
  now: (): number => performance.now(),
  /** Ends early, without throwing, when the signal is aborted. */
  delay: (milliseconds: number, signal: AbortSignal): Promise<void> =>
    pause(milliseconds, signal).catch(() => undefined),
};
