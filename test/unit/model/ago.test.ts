import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agoText } from '../../../src/model/ago.ts';
import { timeText } from '../../../src/model/moves.ts';

test('times within a day are relative, earlier ones and those of a faster clock have date and zone', () => {
  const now = Date.parse('2030-01-31T06:00:00Z');
  const ago = (seconds: number): string => agoText(now - seconds * 1000, now);
  assert.equal(ago(0), 'less than a minute ago');
  assert.equal(ago(59), 'less than a minute ago');
  assert.equal(ago(60), '1 min ago');
  assert.equal(ago(3599), '59 min ago');
  assert.equal(ago(3600), '1 h ago');
  assert.equal(ago(86_399), '23 h ago');
  assert.equal(ago(86_400), timeText(now - 86_400_000));
  assert.equal(ago(-1), timeText(now + 1000));
});
