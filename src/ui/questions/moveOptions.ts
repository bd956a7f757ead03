import { UserError } from '../../model/errors.ts';
import {
  isWindowOver,
  nextTimeOfDay,
  timeText,
  type MoveLimits,
  type MoveOptions,
} from '../../model/moves.ts';
import { readMoveLimits } from '../../operations/slots/moveOptions.ts';
import { readSettings, type Settings } from '../settings.ts';
import type { Answers } from './target.ts';

/**
 * How slots are to move, as fields of a request: as the answers say, and what they leave out as the settings say.
 * `limits` count as a whole: where they are given, no setting adds one. Throws a UserError that names what is wrong.
 */
export function moveOptionsIn(answers: Answers): MoveOptions {
  const { move } = readSettings();
  const pace = readPace(answers['pace'] ?? move.pace, answers['pace'] === undefined);
  const limits = answers['limits'] === undefined ? limitsSet(move) : limitsGiven(answers['limits']);
  return { ...(pace === 'gentle' ? {} : { pace }), ...(Object.keys(limits).length === 0 ? {} : { limits }) };
}

function readPace(value: unknown, isSetting: boolean): 'gentle' | 'fast' {
  if (value === 'gentle' || value === 'fast') return value;
  throw refusal(isSetting ? 'The setting redisCluster.move.pace' : '"pace"', '"gentle" or "fast"');
}

function limitsGiven(value: unknown): MoveLimits {
  const limits = readMoveLimits(value, (field, what) =>
    refusal(field === '' ? '"limits"' : `"limits.${field}"`, what),
  );
  if (limits.until === undefined || !isWindowOver(limits)) return limits;
  throw refusal(`"limits.until" (${timeText(limits.until)})`, 'a time in the future');
}

function limitsSet({ limits }: Settings['move']): MoveLimits {
  const { until, ...others } = limits;
  const named = (field: string): string => `The setting redisCluster.move.limits.${field}`;
  if (until !== '' && !/^([01]\d|2[0-3]):[0-5]\d$/.test(until)) {
    throw refusal(named('until'), 'a time of day such as "06:00"');
  }
  const set = Object.entries(others).filter(([, value]) => value !== null);
  return readMoveLimits(
    {
      ...Object.fromEntries(set),
      ...(until === '' ? {} : { until: nextTimeOfDay(until, new Date()) }),
    },
    (field, what) => refusal(named(field), what),
  );
}

function refusal(subject: string, what: string): UserError {
  return new UserError('invalid-input', `${subject} must be ${what}. Nothing was changed.`);
}
