/** What a MIGRATE has to carry. */
export interface Load {
  /** Members of one big key, or keys of a batch. */
  readonly elements: number;
  readonly bytes: number;
  /** Without it one. */
  readonly migrates?: number;
}

/** How fast this source hands keys to this target, as measured while they move. */
export interface Speed {
  /** A MIGRATE of one big key that had both servers for itself took so long. */
  noteBig(load: Load, milliseconds: number): void;
  /** MIGRATEs of small keys are on their way from now on, or one of them has ended. */
  begun(): void;
  ended(load: Load, areOthersUnderWay: boolean): void;
  /** How long a MIGRATE of this key may stop both servers at the worst, with a margin; milliseconds. */
  worstMs(load: Load): number;
}

/** What an idle server of the slower kind gets through. Hashes are slowest: measured were 195 to 545 fields a millisecond. */
const elementsPerMs = 400;
const bytesPerMs = 50_000;
const perMigrateMs = 0.3;
/** Half the measured speed is assumed. */
const margin = 2;
/** A measurement counts for so long; milliseconds. */
const freshMs = 60_000;
/** So much waiting for small keys makes one measurement: less may be a single hiccup. */
const windowMs = 250;
/** A big key that was measured stands for one that takes up to so many times as long. */
const comparable = 8;

/** How long it takes an idle server; milliseconds. */
function usualMs({ elements, bytes, migrates = 1 }: Load): number {
  return perMigrateMs * migrates + elements / elementsPerMs + bytes / bytesPerMs;
}

interface Sample {
  readonly at: number;
  readonly usualMs: number;
  /** How many times as long as usual it took. */
  readonly slowness: number;
}

export function startSpeed(now: () => number, workedMs: () => number): Speed {
  const big: Sample[] = [];
  const small: Sample[] = [];
  let mark = { at: 0, worked: 0 };
  let window = { waited: 0, usual: 0 };
  const fresh = (samples: readonly Sample[]): readonly Sample[] =>
    samples.filter(({ at }) => now() - at < freshMs);
  return {
    noteBig: (load, milliseconds) => {
      const usual = usualMs(load);
      big.push({ at: now(), usualMs: usual, slowness: milliseconds / usual });
    },
    begun: () => {
      mark = { at: now(), worked: workedMs() };
    },
    ended: (load, areOthersUnderWay) => {
      // What this process was at work itself, it did not wait for the servers.
      const waited = Math.max(0, now() - mark.at - (workedMs() - mark.worked));
      window = { waited: window.waited + waited, usual: window.usual + usualMs(load) };
      if (areOthersUnderWay) mark = { at: now(), worked: workedMs() };
      if (window.waited < windowMs) return;
      small.push({ at: now(), usualMs: window.usual, slowness: window.waited / window.usual });
      if (small.length > 1000) small.shift();
      window = { waited: 0, usual: 0 };
    },
    worstMs: (load) => {
      const usual = usualMs(load);
      const like = fresh(big).filter((sample) => sample.usualMs * comparable >= usual);
      const measured = like.length > 0 ? like : [...fresh(big), ...fresh(small)];
      const slowest = Math.max(...measured.map(({ slowness }) => slowness), like.length > 0 ? 0 : 1);
      return margin * slowest * usual;
    },
  };
}
