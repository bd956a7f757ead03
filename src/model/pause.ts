import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; rejects with an AbortError as soon as the signal is given. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
}
