import { after, before, describe, test } from 'node:test';
import { repeatables } from '../support/redis/repeatable.ts';
import { assertNothingLost, prepareServerFaults, type ServerFaults } from '../support/redis/serverFaults.ts';

let faults: ServerFaults;
before(async () => {
  // No replica takes over from a master that owns no slots yet, or none any more: what it has is what its disk has. And
  // without a log of its own it would start from the file that a sync had left behind when it was a replica.
  faults = await prepareServerFaults(5000, { appendonly: 'yes' });
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
