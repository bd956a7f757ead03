import type { NodeConnection } from '../nodeConnection.ts';
import { pause } from '../../model/pause.ts';

/** What other clients feel of a move, measured as one of them. */
export interface Probe {
  /** How long a PING waited at the slower server lately, beyond the way there and back; milliseconds. */
  excessMs(): number;
  /** What `excessMs` was before the move began: others may keep the servers busy, and this machine. */
  usualMs(): number;
  /** The longest that a single PING waited since the move began; milliseconds. */
  longestMs(): number;
  /** The way there and back without any waiting, to the farther server; milliseconds. */
  roundTripMs(): number;
  stop(): void;
}

const everyMs = 10;
const kept = 12;
/** PINGs of which the usual is made, and how far they are apart; milliseconds. */
const first = 8;
const firstEveryMs = 4;
/** How long those may take where servers are far away or do not answer; milliseconds. */
const longestStartMs = 200;

/**
 * Sends PING by connections of its own, one to each server, which a command that blocks the server delays. Resolves
 * when it knows what is usual.
 */
export async function startProbe(connections: readonly NodeConnection[]): Promise<Probe> {
  const stopped = new AbortController();
  let isStarting = true;
  const series = connections.map((connection) => {
    const recent: number[] = [];
    const own = { recent, least: Number.POSITIVE_INFINITY, longest: 0 };
    void (async () => {
      while (!stopped.signal.aborted) {
        const before = performance.eventLoopUtilization();
        const start = performance.now();
        await connection.call('PING');
        // While this process was at work itself, the answer may have been waiting for it.
        const atWork = performance.eventLoopUtilization(before).active;
        const took = performance.now() - start;
        own.least = Math.min(own.least, took);
        recent.push(took - atWork);
        if (!isStarting) own.longest = Math.max(own.longest, took - atWork);
        if (recent.length > kept) recent.shift();
        await pause(isStarting ? firstEveryMs : everyMs, stopped.signal);
      }
    })().catch(() => undefined);
    return own;
  });
  const excessMs = (): number =>
    Math.max(0, ...series.map(({ recent, least }) => upperQuarter(recent) - least));
  const deadline = performance.now() + longestStartMs;
  while (series.some(({ recent }) => recent.length < first) && performance.now() < deadline) {
    await pause(firstEveryMs);
  }
  const usual = excessMs();
  isStarting = false;
  return {
    excessMs,
    usualMs: () => usual,
    longestMs: () => Math.max(0, ...series.map(({ longest, least }) => longest - least)),
    roundTripMs: () => Math.max(0, ...series.map(({ least }) => (Number.isFinite(least) ? least : 0))),
    stop: () => {
      stopped.abort();
    },
  };
}

/** The value that a quarter exceeds: a single late PING is more often this machine's doing than the server's. */
function upperQuarter(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.75)] ?? 0;
}
