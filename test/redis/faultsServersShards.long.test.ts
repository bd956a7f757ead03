import { after, before, describe, test } from 'node:test';
import { repeatables } from './repeatable.ts';
import { assertNothingLost, prepareServerFaults, type ServerFaults } from './serverFaults.ts';

let faults: ServerFaults;
before(async () => {
  faults = await prepareServerFaults(5000);
});
after(() => faults.cluster.stop());

describe('servers that die while shards come and go', { timeout: 900_000 }, () => {
  const name = 'addShard and removeShard';
  const [coming, going] = repeatables[name];
  for (const [what, one] of [
    ['comes', coming],
    ['goes', going],
  ] as const) {
    test(`a shard ${what}; servers killed after all they acknowledged was replicated: no write is lost`, async (t) => {
      await assertNothingLost(faults, { [name]: [one] }, t);
    });
  }
});
