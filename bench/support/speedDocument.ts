import type { Load } from './load.ts';
import type { BenchRecord } from './record.ts';
import { requirements, type Bound } from './requirements.ts';

/** docs/speed.md of the last run of each benchmark: nothing in it is measured by anybody else. */
export function speedDocument(records: readonly BenchRecord[]): string {
  const names = Object.keys(requirements);
  const inOrder = names.flatMap((name) => records.filter(({ bench }) => bench === name));
  const missing = names.filter((name) => !records.some(({ bench }) => bench === name));
  const days = [...new Set(inOrder.map(({ at }) => at.slice(0, 10)))].sort().join(' and ');
  const machines = new Set(inOrder.map(({ cores, processor }) => `${cores} cores of ${processor}`));
  return `# Speed

Measured on ${days} by \`npm run bench -- all\`, which writes this file, on ${[...machines].join(' and ')}. Ours and redis-cli of the same version took turns in one run on one cluster; each figure is the median of that run's repetitions, the longest wait the longest of all.

| bench | work | required | measured | met |
|---|---|---|---|---|
${inOrder.map(requirementLine).join('\n')}

${missing.length === 0 ? '' : `Not measured: ${missing.join(', ')}.\n\n`}## Where the limit lies

Of the time that ours took, the share in which each of these was busy; at 100 % nothing is faster unless that one has less to do. _Server_: the one thread of the busiest server, in its commands or computing. _MIGRATE_ and _RESTORE_: what the source and the target spent in these commands, which no client can spare them; the source waits in MIGRATE for the target. _Processors_: all of the machine's, whoever used them. _Client_: the one thread of this product that runs JavaScript. _Round trips_: the longest chain of requests each of which needed the answer to the one before, by what one PING takes.

| bench | servers | took, s | server | MIGRATE | RESTORE | processors | client | round trips | requests | nearest limit |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|
${inOrder.flatMap(limitLines).join('\n')}
`;
}

function requirementLine({ bench, figures }: BenchRecord): string {
  const { work, bounds } = requirements[bench] ?? { work: '', bounds: [] };
  const judged = bounds.filter((bound) => limitText(bound) !== '');
  return row([
    `\`${bench}\``,
    work.replaceAll(/\{(\w+)\}/g, (_, figure: string) => numberText(figures[figure])),
    judged.map((bound) => `${limitText(bound)} ${bound.of}`).join('; '),
    bounds.map((bound) => measuredText(bound, figures[bound.figure])).join('; '),
    judged.length === 0
      ? ''
      : judged.every((bound) => keeps(bound, figures[bound.figure]))
        ? 'yes'
        : '**no**',
  ]);
}

function limitText({ atLeast, atMost, below }: Bound): string {
  if (atLeast !== undefined) return `≥ ${atLeast}`;
  if (atMost !== undefined) return `≤ ${atMost}`;
  return below === undefined ? '' : `< ${below}`;
}

/** A figure without a limit says what it is, since the column before does not. */
function measuredText(bound: Bound, figure: unknown): string {
  return limitText(bound) === '' ? `${numberText(figure)} ${bound.of}` : numberText(figure);
}

/** A figure that was not measured keeps no limit. */
function keeps({ atLeast, atMost, below }: Bound, figure: unknown): boolean {
  if (typeof figure !== 'number' || Number.isNaN(figure)) return false;
  return figure >= (atLeast ?? -Infinity) && figure <= (atMost ?? Infinity) && figure < (below ?? Infinity);
}

function limitLines({ bench, figures }: BenchRecord): readonly string[] {
  const limits = (figures['limits'] ?? {}) as Readonly<Record<string, Load>>;
  return Object.entries(limits).map(([of, load]) => {
    const wall = load.seconds * 1000;
    const shares = {
      server: load.busiestServerMs / wall,
      // The system counts the processors' time by hundredths of a second, too coarse for less than a tenth of one.
      processors: load.seconds < 0.1 ? Number.NaN : load.machineMs / (wall * load.cores),
      client: load.ownThreadMs / wall,
      'round trips': (load.longestChain * load.pingMs) / wall,
    };
    const known = Object.entries(shares).filter(([, share]) => !Number.isNaN(share));
    const [nearest = ['', 0] as const] = known.sort((a, b) => b[1] - a[1]);
    return row([
      `\`${bench}\`${of === '' ? '' : `, ${of}`}`,
      load.server,
      load.seconds.toFixed(load.seconds < 1 ? 3 : 2),
      percent(shares.server),
      load.migrateMs === 0 ? '' : percent(load.migrateMs / wall),
      load.restoreMs === 0 ? '' : percent(load.restoreMs / wall),
      percent(shares.processors),
      percent(shares.client),
      load.longestChain === 0
        ? ''
        : `${load.longestChain} × ${numberText(load.pingMs)} ms = ${percent(shares['round trips'])}`,
      load.requests === 0 ? '' : numberText(load.requests),
      `${nearest[0]}, ${percent(nearest[1])}`,
    ]);
  });
}

function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${Math.round(share * 100)} %`;
}

function numberText(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en') : '–';
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
