import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What one run of one benchmark measured. */
export interface BenchRecord {
  readonly bench: string;
  /** When it ended, ISO 8601. */
  readonly at: string;
  /** The parameters given; none where it ran as the requirement asks. */
  readonly parameters: readonly string[];
  readonly cores: number;
  readonly processor: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

const file = join(import.meta.dirname, '../../test-results/bench.jsonl');

/** The last line of a benchmark; and the same, with its name and date, as one line more of the record of all runs. */
export function conclude(figures: Readonly<Record<string, unknown>>): void {
  const [, script = '', ...given] = process.argv;
  const row: BenchRecord = {
    bench: basename(script, '.ts'),
    at: new Date().toISOString(),
    parameters: given.filter((word) => !word.startsWith('--')),
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? '',
    figures,
  };
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(row)}\n`);
  console.log(JSON.stringify({ ...figures, cores: row.cores }));
}

/** Each benchmark's last run that had no parameters. */
export function lastRecords(): readonly BenchRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as BenchRecord);
  const asked = rows.filter(({ parameters }) => parameters.length === 0);
  return [...new Map(asked.map((row) => [row.bench, row])).values()];
}
