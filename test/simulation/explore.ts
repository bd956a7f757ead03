import { simulate } from './run.ts';
import type { Ended, Fault, Interleaving } from './runState.ts';
import { seeded, type Random } from './random.ts';
import type { Scenario } from './scenario.ts';

export interface Explored {
  /** One text for each interleaving that differs from all others. */
  readonly distinct: ReadonlySet<string>;
  readonly runs: number;
  readonly events: number;
  readonly attempts: number;
  /** By what went wrong. */
  readonly faults: ReadonlyMap<string, number>;
  readonly unreplicated: number;
  readonly hidden: number;
  readonly leftovers: number;
  /** What was violated, with what it takes to see it again; the first few of each kind. */
  readonly problems: readonly string[];
}

export interface Exploration {
  readonly scenarios: readonly Scenario[];
  /** Schedules: each is run undisturbed first, and then with every fault at every one of its events. */
  readonly seeds: Iterable<number>;
  /** Ends when so many different interleavings were seen. */
  readonly enough: number;
}

type Totals = { -readonly [K in keyof Explored]: Explored[K] } & {
  distinct: Set<string>;
  faults: Map<string, number>;
  problems: string[];
};

/**
 * Goes through schedules and, in each, through the points at which the tool or a server can fail. Problems do not end
 * it, so that one look shows how they hang together.
 */
export async function explore({ scenarios, seeds, enough }: Exploration): Promise<Explored> {
  const totals: Totals = {
    distinct: new Set(),
    runs: 0,
    events: 0,
    attempts: 0,
    faults: new Map(),
    unreplicated: 0,
    hidden: 0,
    leftovers: 0,
    problems: [],
  };
  for (const seed of seeds) {
    for (const scenario of scenarios) {
      const undisturbed = await simulate({ scenario, seed, faults: [] });
      count(totals, { scenario, seed, faults: [] }, undisturbed);
      for (const faults of faultsFor(undisturbed.firstEvents, scenario.shape.masters.length, seeded(seed))) {
        if (totals.distinct.size >= enough) return totals;
        const interleaving = { scenario, seed, faults };
        count(totals, interleaving, await simulate(interleaving));
      }
    }
  }
  return totals;
}

function count(totals: Totals, { scenario, seed, faults }: Interleaving, ended: Ended): void {
  totals.distinct.add(`${scenario.name} ${ended.fingerprint}`);
  totals.runs++;
  totals.events += ended.events;
  totals.attempts += ended.attempts;
  totals.unreplicated += ended.unreplicated;
  totals.hidden += ended.hidden;
  totals.leftovers += ended.leftovers;
  for (const { kind } of faults.slice(0, ended.faults))
    totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + 1);
  if (ended.problems.length > 0 && totals.problems.length < 20) {
    const again = JSON.stringify({ scenario: scenario.name, seed, faults });
    totals.problems.push(`${ended.problems.join('; ')}\n    ${again}`);
  }
}

/** Every fault at every event of a schedule, and pairs of which the second follows the first at some distance. */
function* faultsFor(events: number, masters: number, random: Random): Generator<readonly Fault[]> {
  const source = 0;
  const target = 1;
  for (let at = 1; at <= events; at++) {
    const later = (): number => at + random.below(40);
    for (const kind of ['crash', 'crashArriving', 'cut', 'cancel'] as const) yield [{ at, kind }];
    for (const node of [source, target, masters, masters + 1]) yield [{ at, kind: 'kill', node }];
    for (const node of [source, target]) {
      yield [
        { at, kind: 'freeze' },
        { at, kind: 'kill', node },
      ];
    }
    for (const node of [source, target]) {
      yield [
        { at, kind: random.pick(['crash', 'crashArriving']) },
        { at: later(), kind: 'kill', node },
      ];
      yield [
        { at, kind: 'kill', node },
        { at: later(), kind: 'restart', node },
      ];
      yield [
        { at, kind: 'kill', node },
        { at: later(), kind: 'crash' },
      ];
    }
    yield [
      { at, kind: 'crash' },
      { at: later(), kind: 'crash' },
      { at: later() + 20, kind: 'crashArriving' },
    ];
    yield [
      { at, kind: 'cut' },
      { at: later(), kind: 'crashArriving' },
    ];
  }
}
