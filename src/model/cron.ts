import { UserError } from './errors.ts';

/** When a CronJob starts: the values of its five fields, as Kubernetes reads them. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Where both are limited, one of them is enough. */
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const shortDays = dayNames.map((name) => name.slice(0, 3).toLowerCase());
const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads a schedule as a CronJob takes it: five fields with lists, ranges, steps and English names.
 * Throws a UserError. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */
export function parseCron(text: string): Cron {
  const fields = (macros[text.trim()] ?? text).trim().split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  if (fields.length !== 5) throw problem(text, 'it needs five fields');
  const monthsByName = new Map(monthNames.map((name, index) => [name, index + 1]));
  const daysByName = new Map(shortDays.map((name, index) => [name, index]));
  const cron = {
    minutes: values(text, minute, [0, 59]),
    hours: values(text, hour, [0, 23]),
    days: values(text, day, [1, 31]),
    months: values(text, month, [1, 12], monthsByName),
    weekdays: values(text, weekday, [0, 6], daysByName),
    ...{ anyDay: isAny(day), anyWeekday: isAny(weekday) },
  };
  if (nextAfter(cron, 'Etc/UTC', Date.UTC(2024, 0, 1)) === undefined)
    throw problem(text, 'there is no such day');
  return cron;
}

function isAny(field: string): boolean {
  return /^[*?]/.test(field);
}

function problem(text: string, why: string): UserError {
  return new UserError(
    'invalid-input',
    `"${text}" is not a schedule: ${why}. Enter minute, hour, day of the month, month and day of the week, for example 0 3 * * * for every day at 03:00.`,
  );
}

function values(
  text: string,
  field: string,
  [least, most]: readonly [number, number],
  names: ReadonlyMap<string, number> = new Map(),
): ReadonlySet<number> {
  const found = new Set<number>();
  for (const part of field.toLowerCase().split(',')) {
    const match = /^(?:[*?]|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    const valueOf = (word: string): number => names.get(word) ?? Number(word);
    const [, from = String(least), to, steps = '1'] = match ?? [];
    // As Kubernetes reads it, 5/10 goes on to the end.
    const isOpen = /^[*?]|\//.test(part);
    const [first, last] = [valueOf(from), to === undefined ? (isOpen ? most : valueOf(from)) : valueOf(to)];
    const isWithin = first >= least && last <= most && first <= last;
    const step = Number(steps);
    if (match === null || !isWithin || step < 1) throw problem(text, `"${part}" is not valid there`);
    for (let value = first; value <= last; value += step) found.add(value);
  }
  return found;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The schedule in words where it is one that people use, such as `every day at 03:00`; otherwise as it is written. */
export function cronText(text: string): string {
  const cron = parseCron(text);
  const { minutes, hours, days, months, weekdays, anyDay, anyWeekday } = cron;
  const when = timesText([...minutes], [...hours]);
  if (when === undefined || months.size < 12 || (!anyDay && !anyWeekday)) return `at “${text.trim()}”`;
  if (weekdays.size < 7) return `${when.every ?? 'every'} ${weekdaysText(weekdays)}${when.at}`.trim();
  if (days.size < 31) {
    const listed = [...days].join(', ');
    return `on day ${listed} of every month${when.every === undefined ? when.at : `, ${when.every}`}`;
  }
  return when.every ?? `every day${when.at}`;
}

function weekdaysText(weekdays: ReadonlySet<number>): string {
  const sorted = [...weekdays].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
  if (sorted.join() === '1,2,3,4,5') return 'weekday';
  return sorted.map((day) => dayNames[day] ?? '').join(', ');
}

/** `every` where it is more often than at each hour of a list of at most four. */
function timesText(
  minutes: readonly number[],
  hours: readonly number[],
): { readonly at: string; readonly every?: string } | undefined {
  const [minute = 0, ...others] = minutes;
  if (hours.length === 24) {
    if (others.length === 0) return { at: '', every: `every hour at minute ${minute}` };
    const step = stepOf(minutes, 60);
    return step === undefined ? undefined : { at: '', every: everyText(step, 'minute') };
  }
  if (others.length > 0) return undefined;
  const step = stepOf(hours, 24);
  if (step !== undefined && hours.length > 4)
    return { at: '', every: `${everyText(step, 'hour')} at minute ${minute}` };
  if (hours.length > 4) return undefined;
  return { at: ` at ${hours.map((hour) => `${two(hour)}:${two(minute)}`).join(', ')}` };
}

/** The distance of values that begin at 0 and are as far from each other as the last is from the end. */
function stepOf(values: readonly number[], end: number): number | undefined {
  const step = values[1] ?? end;
  const isEven = values.every((value, index) => value === index * step) && values.length * step === end;
  return isEven ? step : undefined;
}

function everyText(step: number, unit: string): string {
  return step === 1 ? `every ${unit}` : `every ${step} ${unit}s`;
}

/** Throws a UserError where there is no such time zone. */
export function checkTimeZone(zone: string): void {
  try {
    zoned(zone);
  } catch {
    throw new UserError(
      'invalid-input',
      `"${zone}" is not a time zone. Enter a name such as Etc/UTC or Europe/Berlin.`,
    );
  }
}

function zoned(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
}

const dayMs = 86_400_000;
/** The 29th of February on a certain weekday comes within this many days. */
const farthestDays = 366 * 41;

/** When a job starts next after a time (ms since the epoch); undefined where it never does. */
export function nextAfter(cron: Cron, zone: string, time: number): number | undefined {
  const format = zoned(zone);
  // A clock of that zone, read as if it were UTC.
  const clockAt = (at: number): number => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute);
  };
  const now = clockAt(time);
  const today = now - (now % dayMs);
  for (let day = 0; day < farthestDays; day += 1) {
    const start = today + day * dayMs;
    if (!isDue(cron, new Date(start))) continue;
    for (const hour of cron.hours)
      for (const minute of cron.minutes) {
        const clock = start + (hour * 60 + minute) * 60_000;
        if (clock <= now) continue;
        // Twice, since the offset may change between now and then.
        const first = clock - (clockAt(clock) - clock);
        return first - (clockAt(first) - clock);
      }
  }
  return undefined;
}

function isDue({ days, months, weekdays, anyDay, anyWeekday }: Cron, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const [isDay, isWeekday] = [days.has(day.getUTCDate()), weekdays.has(day.getUTCDay())];
  return anyDay || anyWeekday ? isDay && isWeekday : isDay || isWeekday;
}
