import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { whyNoOtherVersions } from '../support/serverVersions.ts';
import { healStates } from '../support/redis/healStates.ts';

describe('states of open slots and strayed keys', { timeout: 1_800_000 }, () => {
  for (const [masters, replicasPerMaster] of [
    [3, 0],
    [3, 1],
    [4, 0],
    [5, 0],
    [6, 0],
  ] as const) {
    test(`two hundred on ${masters} masters with ${replicasPerMaster} replicas each are repaired by one Heal, or left untouched`, async () => {
      const seeds = { first: 1000 * masters + 500 * replicasPerMaster, states: 200 };
      const { repaired, left } = await healStates({ masters, replicasPerMaster }, seeds);
      assert.ok(repaired > 4 * left && left > 0, `${repaired} slots repaired, ${left} left`);
    });
  }

  for (const version of ['redisNewest', 'valkeyNewest'] as const) {
    test(`a hundred on ${version}`, { skip: whyNoOtherVersions() ?? false }, async () => {
      const { repaired, left } = await healStates(
        { masters: 3, replicasPerMaster: 1, version },
        { first: 9000, states: 100 },
      );
      assert.ok(repaired > 2 * left, `${repaired} slots repaired, ${left} left`);
    });
  }
});
