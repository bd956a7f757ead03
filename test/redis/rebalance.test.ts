import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { countSlots } from '../../src/model/slots.ts';
import { planRebalance } from '../../src/operations/rebalance.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';

let cluster: TestCluster | undefined;
after(() => cluster?.stop());

function* writes(): Generator<Write> {
  for (let number = 0; number < 20_000; number++) {
    yield ['SET', Buffer.concat([Buffer.of(0xff, 0, 0x80), Buffer.from(String(number))]), `value ${number}`];
  }
}

async function isWhole(running: TestCluster): Promise<boolean> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const { code } = await running.cli('--cluster', 'check', running.addresses[0] ?? '');
    if (code === 0) return true;
  }
  return false;
}

test('masters are emptied and filled again, several pairs at once, and no key is lost', async () => {
  const running = await startRedisCluster({
    masters: 5,
    replicasPerMaster: 0,
    config: { 'cluster-allow-replica-migration': 'no' },
  });
  cluster = running;
  await fill(running, writes());
  const before = await dumpAll(running);
  const [, , , fourth = { id: '' }, fifth = { id: '' }] = running.nodes;
  const weights = { [fourth.id]: 0, [fifth.id]: 0 };
  const away = await runPlan(planRebalance(await readSnapshot(running), { weights }), runPorts(running));
  assert.equal(away.cancelled, false);
  const three = (await readSnapshot(running)).nodes.map(({ slots }) => countSlots(slots));
  assert.deepEqual(three.slice(3), [0, 0]);
  assert.ok(three.slice(0, 3).every((slots) => Math.abs(slots - 16_384 / 3) <= (0.02 * 16_384) / 3));
  assert.deepEqual(await dumpAll(running), before);
  assert.ok(await isWhole(running));
  const all = { threshold: 0, useEmptyMasters: true };
  const most: number[] = [];
  const back = await runPlan(
    planRebalance(await readSnapshot(running), all),
    runPorts(running, { report: ({ done = 0 }) => most.push(done) }),
  );
  assert.equal(most.at(-1), back.movedSlots);
  const five = (await readSnapshot(running)).nodes.map(({ slots }) => countSlots(slots));
  assert.deepEqual([...five].sort(), [3276, 3277, 3277, 3277, 3277]);
  assert.deepEqual(await dumpAll(running), before);
  assert.ok(await isWhole(running));
});
