import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { repeatables } from '../support/redis/repeatable.ts';
import { assertNothingLost, prepareServerFaults, type ServerFaults } from '../support/redis/serverFaults.ts';

let faults: ServerFaults;
before(async () => {
  faults = await prepareServerFaults(10_000);
});
after(() => faults.cluster.stop());

describe('servers that die at every step of every operation', { timeout: 900_000 }, () => {
  const { promote, replicate, setConfig, forget, 'heal, nodes apart': apart } = repeatables;
  const { reshard, rebalance, 'heal, a move half done': halfDone } = repeatables;

  test('killed after all they acknowledged was replicated: no write is lost', async (t) => {
    const roles = { promote, replicate, setConfig, forget, 'heal, nodes apart': apart };
    await assertNothingLost(faults, { reshard, rebalance, 'heal, a move half done': halfDone, ...roles }, t);
  });

  test('killed at once, while no slot moves: of what clients write only what was under way is lost', async (t) => {
    const { deaths, report, lost } = await faults.strikeAll({ promote, replicate, forget }, false);
    t.diagnostic(
      `${deaths} servers killed; of ${report.acknowledged.toLocaleString('en-US')} writes acknowledged meanwhile ${report.missing} are gone and ${report.stale} older than acknowledged; of ${faults.keys.toLocaleString('en-US')} keys that nobody wrote ${lost} are lost`,
    );
    assert.ok(deaths > 4 && report.acknowledged > 1000);
    // Each of the client's eight loops waits for its write; nobody touched the other keys.
    assert.ok(report.missing + report.stale <= deaths * 8, report.losses.join('\n'));
    assert.equal(lost, 0);
  });
});
