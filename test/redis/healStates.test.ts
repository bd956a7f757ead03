import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healStates } from '../support/redis/healStates.ts';

test(
  'forty states of open slots and strayed keys are repaired by one Heal, or left to a person untouched',
  { timeout: 120_000 },
  async () => {
    const { repaired, left } = await healStates({ masters: 4 }, { first: 1, states: 40 });
    assert.ok(repaired > 4 * left && left > 0, `${repaired} slots repaired, ${left} left`);
  },
);
