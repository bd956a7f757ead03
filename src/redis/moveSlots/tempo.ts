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

export const fastest: Tempo = { keysPerMigrate: 100, inFlight: 8, perWrite: 2 };
const gentlest: Tempo = { keysPerMigrate: 8, inFlight: 1, perWrite: 1 };
const begin: Tempo = { keysPerMigrate: 24, inFlight: 2, perWrite: 1 };

/** How long others may wait on account of a gentle move: beyond the first it slows down, below the second it speeds up; milliseconds. */
const tooLongMs = 2;
const shortMs = 0.8;
/** A round trip of which a gentle move makes up by sending the next MIGRATE before the last has ended; milliseconds. */
const migrateMs = 1;
const mostInFlight = 32;
const adaptEveryMs = 60;

/** The tempo as of now. A gentle one follows the probe: slowly up, quickly down. */
export function tempoFor(
  pace: MovePace,
  probe: Probe | undefined,
  sharing: () => number,
): { readonly now: () => Tempo } {
  if (pace === 'fast' || probe === undefined) {
    return {
      now: () => ({ ...fastest, inFlight: Math.max(2, Math.floor(fastest.inFlight / sharing())) }),
    };
  }
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

function adapted(tempo: Tempo, probe: Probe, sharing: number): Tempo {
  const excess = probe.excessMs();
  if (excess > tooLongMs) {
    return {
      ...tempo,
      keysPerMigrate: Math.max(gentlest.keysPerMigrate, Math.floor(tempo.keysPerMigrate * 0.7)),
      inFlight: Math.max(gentlest.inFlight, Math.floor(tempo.inFlight / 2)),
    };
  }
  if (excess > shortMs) return tempo;
  // More than it takes to have the next one there when the last has ended would only lengthen the queue.
  const useful = Math.ceil(probe.roundTripMs() / migrateMs) + 1;
  return {
    ...tempo,
    keysPerMigrate: Math.min(fastest.keysPerMigrate / 2, tempo.keysPerMigrate + 4),
    inFlight: Math.max(
      1,
      Math.min(mostInFlight, useful, tempo.inFlight + 1, Math.floor(mostInFlight / sharing)),
    ),
  };
}
