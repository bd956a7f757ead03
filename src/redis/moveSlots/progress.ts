import { countSlots, type SlotSet } from '../../model/slots.ts';
import type { MoveRequest } from './request.ts';

/** What a move has done so far, for those who watch it. */
export interface Tally {
  add(moved: { readonly slots: SlotSet; readonly keys: number; readonly bytes: number }): void;
  /** Shows keys on their way, which count only once their slots are handed over. */
  show(keysUnderWay: number, bytesUnderWay: number): void;
  /** Says why nothing moves, and with undefined that this is no reason any more. */
  pause(reason: 'limit' | 'replica', why: string | undefined): void;
  readonly slots: number;
  readonly keys: number;
}

/** Nobody sees more of it, and thousands of MIGRATEs a second would each make a text; milliseconds. */
const showEveryMs = 50;

/** Counts from `before` slots on, which an earlier run had moved. Pauses do not count as working time. */
export function tally({ slots, onProgress }: MoveRequest, before: number): Tally {
  const totalSlots = countSlots(slots);
  const start = performance.now();
  let [movedSlots, movedKeys, movedBytes, pausedMs] = [0, 0, 0, 0];
  let pausedSince: number | undefined;
  let shown = Number.NEGATIVE_INFINITY;
  const pauses = new Map<string, string>();
  const report = (keysUnderWay: number, bytesUnderWay: number): void => {
    const now = performance.now();
    const seconds = (now - start - pausedMs - (pausedSince === undefined ? 0 : now - pausedSince)) / 1000;
    const keys = movedKeys + keysUnderWay;
    const [paused] = pauses.values();
    const left = totalSlots - before - movedSlots;
    onProgress?.(before + movedSlots, keys, {
      slots: before + movedSlots,
      movedSlots,
      totalSlots,
      keys,
      bytes: Math.round(movedBytes + bytesUnderWay),
      keysPerSecond: seconds === 0 ? 0 : Math.round(keys / seconds),
      ...(movedSlots === 0 ? {} : { secondsLeft: (seconds / movedSlots) * left }),
      ...(paused === undefined ? {} : { paused }),
    });
  };
  return {
    add: (moved) => {
      movedSlots += countSlots(moved.slots);
      movedKeys += moved.keys;
      movedBytes += moved.bytes;
      report(0, 0);
    },
    show: (keys, bytes) => {
      if (performance.now() - shown < showEveryMs) return;
      shown = performance.now();
      report(keys, bytes);
    },
    pause: (reason, why) => {
      if (pauses.get(reason) === why) return;
      if (why === undefined) pauses.delete(reason);
      else pauses.set(reason, why);
      if (pauses.size > 0) pausedSince ??= performance.now();
      else if (pausedSince !== undefined) {
        pausedMs += performance.now() - pausedSince;
        pausedSince = undefined;
      }
      report(0, 0);
    },
    get slots() {
      return movedSlots;
    },
    get keys() {
      return movedKeys;
    },
  };
}
