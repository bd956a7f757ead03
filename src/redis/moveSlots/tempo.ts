import { farMs } from './distance.ts';
import type { Probe } from './probe.ts';
import type { MovePace } from './request.ts';

/** How much may be sent to the source at once. A MIGRATE stops it until the target has the keys. */
export interface Tempo {
  readonly keysPerMigrate: number;
  /** MIGRATEs that may wait at the source at once; they run there one after another. */
  readonly inFlight: number;
  /** MIGRATEs that one connection sends in one write. */
  readonly perWrite: number;
}

const fastest: Tempo = { keysPerMigrate: 100, inFlight: 8, perWrite: 2 };
/** One is at work and the next is there when it ends. More would be no faster, and other clients wait behind them all. */
const fewest = 2;
/** What a MIGRATE of a fast move takes at the source at the least; milliseconds. */
const shortMigrateMs = 0.5;
/** Below this a MIGRATE would fail for a target that is only busy; milliseconds. */
export const shortestTimeoutMs = 50;
const gentlest: Tempo = { keysPerMigrate: 16, inFlight: 1, perWrite: 1 };
const begin: Tempo = { keysPerMigrate: 24, inFlight: 1, perWrite: 1 };
const mostGentle = { keysPerMigrate: 24, inFlight: 32 } as const;

/** How long others may wait on account of a gentle move before it slows down, at the least; milliseconds. */
const tooLongMs = 2;
/** As many times as long as usual is too long as well, and below this share of what is too long it speeds up. */
const tooManyTimes = 3;
const shortShare = 0.5;
/** What a MIGRATE of a gentle move takes at the source, about; milliseconds. */
const migrateMs = 1;
const adaptEveryMs = 60;

export interface TempoOptions {
  readonly pace: MovePace;
  readonly probe: Probe | undefined;
  /** How many moves take from the source at present. */
  readonly sharing: () => number;
  /** The way to the source and back; milliseconds. */
  readonly roundTripMs: number;
  /** How long the source may stand still at the worst, with all that waits there timing out; milliseconds. */
  readonly patienceMs: number;
}

/** The tempo as of now. A gentle one follows the probe: slowly up, quickly down. */
export function tempoFor(options: TempoOptions): { readonly now: () => Tempo } {
  const { pace, probe, sharing } = options;
  if (pace === 'fast' || probe === undefined) return { now: () => fastTempo(options) };
  let tempo = begin;
  let last = 0;
  return {
    now: () => {
      const time = performance.now();
      if (time - last > adaptEveryMs) {
        last = time;
        tempo = adapted(tempo, probe, sharing());
      }
      return tempo;
    },
  };
}

/**
 * A far server gets as many at once as hide the way to it: it answers all that it found waiting in one go, so half of
 * them are at work there while the other half are on their way.
 */
function fastTempo({ sharing, patienceMs, roundTripMs }: TempoOptions): Tempo {
  if (roundTripMs < farMs) {
    // Below a millisecond it is this machine rather than the way.
    const useful = fewest + 2 * Math.floor(roundTripMs);
    const inFlight = Math.max(fewest, Math.floor(Math.min(useful, fastest.inFlight) / sharing()));
    return { ...fastest, inFlight, perWrite: Math.ceil(inFlight / 4) };
  }
  const useful = fastest.inFlight + Math.ceil((2 * roundTripMs) / shortMigrateMs);
  const most = Math.max(fastest.inFlight, Math.floor(patienceMs / shortestTimeoutMs));
  const inFlight = Math.max(fewest, Math.floor(Math.min(useful, most) / sharing()));
  return { ...fastest, inFlight, perWrite: Math.max(fastest.perWrite, Math.ceil(inFlight / 8)) };
}

function adapted(tempo: Tempo, probe: Probe, sharing: number): Tempo {
  const excess = probe.excessMs();
  const tooLong = Math.max(tooLongMs, tooManyTimes * probe.usualMs());
  if (excess > tooLong) {
    return {
      ...tempo,
      keysPerMigrate: Math.max(gentlest.keysPerMigrate, Math.floor(tempo.keysPerMigrate * 0.7)),
      inFlight: Math.max(gentlest.inFlight, Math.floor(tempo.inFlight / 2)),
    };
  }
  if (excess > tooLong * shortShare) return tempo;
  // As many as it takes to have the next one there when the last has ended; more would only wait in a queue.
  const useful = 1 + Math.floor(probe.roundTripMs() / migrateMs);
  const most = Math.min(mostGentle.inFlight, useful, Math.ceil(mostGentle.inFlight / sharing));
  return {
    ...tempo,
    keysPerMigrate: Math.min(mostGentle.keysPerMigrate, tempo.keysPerMigrate + 8),
    inFlight: Math.min(most, tempo.inFlight + 2),
  };
}
