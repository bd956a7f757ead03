import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTimeZone, cronText, nextAfter, parseCron } from '../../../src/model/cron.ts';
import { UserError } from '../../../src/model/errors.ts';

test('schedules that people use are said in words, any other as it is written', () => {
  const words = {
    '0 3 * * *': 'every day at 03:00',
    '30 3,15 * * *': 'every day at 03:30, 15:30',
    '0 3 * * 0': 'every Sunday at 03:00',
    '0 3 * * MON-FRI': 'every weekday at 03:00',
    '0 3 * * sat,sun': 'every Saturday, Sunday at 03:00',
    '0 3 1,15 * *': 'on day 1, 15 of every month at 03:00',
    '* * * * *': 'every minute',
    '*/15 * * * *': 'every 15 minutes',
    '5 * * * *': 'every hour at minute 5',
    '0 */4 * * *': 'every 4 hours at minute 0',
    '@daily': 'every day at 00:00',
    '0 3 1 6 *': 'at “0 3 1 6 *”',
    '7,9 1-20 * * *': 'at “7,9 1-20 * * *”',
    '0 3 13 * 5': 'at “0 3 13 * 5”',
  };
  for (const [cron, text] of Object.entries(words)) assert.equal(cronText(cron), text, cron);
});

test('what is no schedule is refused with what it would have to be', () => {
  const wrong = ['', 'daily', '0 3 * *', '0 3 * * * *', '60 3 * * *', '0 24 * * *', '0 3 0 * *', '0 3 * * 7'];
  for (const text of [
    ...wrong,
    '0 3 * 13 *',
    '0 3 30 2 *',
    '5-1 * * * *',
    '*/0 * * * *',
    '0 3 * * foo',
    '0 L * * *',
  ])
    assert.throws(
      () => parseCron(text),
      (error) => error instanceof UserError && error.message.includes('0 3 * * * for every day at 03:00'),
      text,
    );
  assert.throws(() => {
    checkTimeZone('Berlin');
  }, /Europe\/Berlin/);
});

test('the next start is that of the time zone, across a change of its clocks', () => {
  const next = (cron: string, zone: string, after: string): string =>
    new Date(nextAfter(parseCron(cron), zone, Date.parse(after)) ?? 0).toISOString();
  assert.equal(next('0 3 * * *', 'Etc/UTC', '2026-12-01T02:59:59Z'), '2026-12-01T03:00:00.000Z');
  assert.equal(next('0 3 * * *', 'Etc/UTC', '2026-12-01T03:00:30Z'), '2026-12-02T03:00:00.000Z');
  assert.equal(next('0 3 * * *', 'Europe/Berlin', '2026-12-01T01:00:00Z'), '2026-12-01T02:00:00.000Z');
  assert.equal(next('0 3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z');
  assert.equal(next('* * * * *', 'Asia/Kolkata', '2026-12-01T01:00:00Z'), '2026-12-01T01:01:00.000Z');
  assert.equal(next('0 0 29 2 *', 'Etc/UTC', '2026-12-01T01:00:00Z'), '2028-02-29T00:00:00.000Z');
  // Either of both is enough where both are limited.
  assert.equal(next('0 0 13 * 5', 'Etc/UTC', '2026-12-01T01:00:00Z'), '2026-12-04T00:00:00.000Z');
});
