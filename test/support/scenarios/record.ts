import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { median } from '../../../bench/support/numbers.ts';
import type { ChaosReport } from '../chaosClient.ts';
import { requirements, type Requirement, type ScenarioId } from './requirements.ts';

/** What a run found, one row of the table. */
export interface ScenarioRow {
  readonly id: ScenarioId;
  readonly met: boolean;
  readonly seconds?: number;
  readonly acknowledged?: number;
  /** Keys that were gone or older than acknowledged. */
  readonly lost?: number;
  /** What the client gave up on, as `count × message`. */
  readonly errors?: readonly string[];
  /** The longest time without an acknowledged write in the worst shard. */
  readonly gapMs?: number;
  /** The same in the shard where it was shortest: what the machine itself costs at that time. */
  readonly leastGapMs?: number;
  readonly dataset?: string;
  readonly note?: string;
  /** Milliseconds that starting a process took just afterwards: pods, probes and scripts are made of little else. */
  readonly processMs: number;
  readonly image: string;
  readonly kubernetes: string;
  /** When the scenario ended, and when the process that ran it began; ISO 8601. */
  readonly at: string;
  readonly run: string;
  readonly client?: Readonly<Record<string, unknown>>;
}

export interface Found {
  /** Seconds until the cluster was whole again. */
  readonly seconds?: number;
  readonly report?: ChaosReport;
  readonly dataset?: string;
  readonly note?: string;
  /** `false` where something that is required besides the figures did not hold. */
  readonly held?: boolean;
}

const file = join(import.meta.dirname, '../../../test-results/scenarios.jsonl');

/** Adds one row to the results, met where all its figures keep the requirement's limits; returns it. */
export function record(
  id: ScenarioId,
  at: { readonly image: string; readonly kubernetesVersion: string },
  found: Found,
): ScenarioRow {
  const { report, seconds, dataset, note } = found;
  const figures = {
    ...(seconds === undefined ? {} : { seconds }),
    ...(report === undefined
      ? {}
      : {
          acknowledged: report.acknowledged,
          lost: report.missing + report.stale,
          errors: report.errors,
          gapMs: worstGap(report),
          leastGapMs: Math.min(report.longestGapMs, ...Object.values(report.perShardLongestGapMs)),
          client: report.settings,
        }),
  };
  const row: ScenarioRow = {
    id,
    met: found.held !== false && keeps(requirements[id], figures),
    ...figures,
    ...(dataset === undefined ? {} : { dataset }),
    ...(note === undefined ? {} : { note }),
    processMs: processMs(),
    image: at.image,
    kubernetes: at.kubernetesVersion,
    at: new Date().toISOString(),
    run: new Date(performance.timeOrigin).toISOString(),
  };
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(row)}\n`);
  return row;
}

/** What this machine takes to start and end the smallest of processes: the median of 21, in milliseconds. */
function processMs(): number {
  const times = Array.from({ length: 21 }, () => {
    const started = performance.now();
    spawnSync('true');
    return performance.now() - started;
  });
  return median(times);
}

/** The longest time without an acknowledged write in the worst shard, in milliseconds. */
export function worstGap(report: ChaosReport): number {
  return Math.max(report.longestGapMs, ...Object.values(report.perShardLongestGapMs));
}

type Figures = Pick<ScenarioRow, 'seconds' | 'lost' | 'errors' | 'gapMs'>;

function keeps(requirement: Requirement, figures: Figures): boolean {
  const within = (figure: number | undefined, limit: number | undefined): boolean =>
    limit === undefined || figure === undefined || figure <= limit;
  return (
    within(figures.seconds, requirement.seconds) &&
    within(figures.lost, requirement.lost) &&
    within(figures.errors?.length, requirement.errors) &&
    within(figures.gapMs, requirement.gapMs)
  );
}

/** The rows of each scenario's last run. */
export function recordedRows(): readonly ScenarioRow[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ScenarioRow);
  return rows.filter((row) => !rows.some((other) => other.id === row.id && other.run > row.run));
}

/** Scenarios that no recorded run has shown. */
export function unrecorded(rows: readonly ScenarioRow[]): readonly ScenarioId[] {
  return (Object.keys(requirements) as ScenarioId[]).filter((id) => !rows.some((row) => row.id === id));
}

/** Starts again. */
export function forgetRows(): void {
  rmSync(file, { force: true });
}
