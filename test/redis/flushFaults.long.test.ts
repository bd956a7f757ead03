import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { UserError } from '../../src/model/errors.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { cutDialer, present, run, runAndDie, type Present } from '../support/redis/faultTools.ts';
import { strikingDialer } from '../support/redis/faultyDialer.ts';
import { fill } from '../support/redis/fill.ts';
import { assertWhole, nodeAt } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { bringBack } from '../support/redis/serverFaults.ts';
import { fixedWrites } from '../support/redis/toolFaults.ts';

describe('a flush that is interrupted', { timeout: 120_000 }, () => {
  let cluster: TestCluster;
  let now: Present;
  let plan: Plan;
  before(async () => {
    cluster = await startRedisCluster();
    now = await present(cluster);
  });
  beforeEach(async () => {
    await fill(cluster, fixedWrites(3000));
    plan = planFlush(await readAnyway(now));
  });
  after(() => cluster.stop());

  async function keysLeft(): Promise<readonly number[]> {
    const { nodes } = await readAnyway(now);
    return nodes.filter(({ role }) => role === 'master').map(({ view }) => view?.keys ?? Number.NaN);
  }

  async function assertEmpty(): Promise<void> {
    assert.deepEqual(await keysLeft(), [0, 0, 0]);
    await assertWhole(cluster, nodeAt(cluster, 2));
  }

  test('by the death of the tool: the same again empties every master', async (t) => {
    const commands = [1, 2, 3];
    for (const command of commands) {
      await fill(cluster, fixedWrites(3000));
      assert.ok(await runAndDie(now, plan, { command }));
      assert.equal((await keysLeft()).filter((keys) => keys === 0).length, command - 1);
      // A run that goes on has read its plan anew.
      await run(now, structuredClone(plan));
      await assertEmpty();
    }
    t.diagnostic(`tool killed ${commands.length} times`);
  });

  test('by a cut: the same again empties every master', async () => {
    let isCut = false;
    const dialer = cutDialer(now.dialer, 2, () => {
      isCut = true;
    });
    await run(now, plan, dialer).catch(() => undefined);
    assert.ok(isCut);
    await run(now, structuredClone(plan));
    await assertEmpty();
  });

  test('by the death of a master: its replica has the keys, which the same flush names and a new one deletes', async () => {
    const dead = nodeAt(cluster, 1);
    let flushes = 0;
    const dialer = strikingDialer(now.dialer, (_, [verb]) => {
      if (verb === 'FLUSHALL' && ++flushes === 1) cluster.kill(dead);
      return Promise.resolve();
    });
    await assert.rejects(run(now, plan, dialer), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.ok(error.message.includes(`${dead.host}:${dead.port}`), error.message);
      assert.match(error.message, /"Delete all keys on .*" may be half done\. .*[Rr]un it again/);
      return true;
    });
    await bringBack(cluster, now, dead.id, [nodeAt(cluster, 4).id]);
    await assert.rejects(run(now, plan), /is now a replica, and its master has the keys\. Flush again/);
    await run(now, planFlush(await readAnyway(now)));
    await assertEmpty();
  });
});
