import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoppedError, UserError } from '../../../src/model/errors.ts';
import { outcomeOf } from '../../../src/model/outcome.ts';

test('only what was not begun is refused', () => {
  assert.equal(outcomeOf(new UserError('unsafe', 'Not now.')), 'refused');
  assert.equal(outcomeOf(new UserError('unreachable', 'Silent.')), 'failed');
  const cause = new UserError('unsafe', 'Not now.');
  assert.equal(outcomeOf(new StoppedError('unsafe', 'Not now.', { changed: false, cause })), 'failed');
  assert.equal(outcomeOf(new StoppedError('busy', 'Not now.', { changed: true, cause })), 'partial');
});
