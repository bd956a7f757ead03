import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { countSlots } from '../../src/model/slots.ts';
import { planFix } from '../../src/operations/fix.ts';
import { readStrayKeys } from '../../src/operations/repair/lostFacts.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { checkText, present, run, untilSo } from '../support/redis/faultTools.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { fixedWrites } from '../support/redis/toolFaults.ts';

let cluster: TestCluster;

before(async () => {
  cluster = await startRedisCluster({
    replicasPerMaster: 0,
    config: { appendonly: 'yes', 'cluster-require-full-coverage': 'no' },
  });
  await fill(cluster, fixedWrites(3000));
});
after(() => cluster.stop());

async function plan(): Promise<Plan> {
  const now = await readAnyway(cluster);
  return planFix(now, await readStrayKeys(now, cluster.dialer));
}

describe('slots that nobody serves', { timeout: 120_000 }, () => {
  test('go to the master that holds their keys, and every key is served again', async () => {
    const before = await dumpAll(cluster);
    // As when a master died before its new master had heard of its last slots: the keys are there, and no master claims the slots.
    for (const { id } of cluster.nodes) {
      await withConnection(cluster, id, (connection) => connection.call('CLUSTER', 'DELSLOTSRANGE', 0, 999));
    }
    await untilSo(await present(cluster), 'nobody serving them', ({ nodes }) =>
      nodes.every(({ view }) => view?.slotsAssigned === 15_384),
    );
    const fix = await plan();
    assert.deepEqual(fix.losses, []);
    assert.equal(fix.steps.length, 1);
    await run(cluster, fix);
    assert.equal(await checkText(cluster, cluster.addresses[0] ?? ''), undefined);
    assert.deepEqual(await dumpAll(cluster), before);
  });

  test('those of a master that is gone are shared by the others; it gives them up when it comes back', async () => {
    const [, dead] = cluster.nodes;
    assert.ok(dead);
    cluster.kill(dead);
    await untilSo(cluster, 'the failure', ({ nodes }) =>
      nodes.some(({ id, health }) => id === dead.id && health === 'failed'),
    );
    const fix = await plan();
    assert.match(fix.losses.join(), /deletes them if it returns/);
    await run(cluster, fix);
    const after = await readAnyway(cluster);
    const served = after.nodes.filter(({ view }) => view !== undefined);
    assert.equal(
      served.reduce((sum, { slots }) => sum + countSlots(slots), 0),
      16_384,
    );
    assert.ok(served.every(({ view }) => view?.clusterState === 'ok'));
    await cluster.restart(dead);
    await untilSo(cluster, 'the old master giving up', ({ nodes }) =>
      nodes.every(({ id, slots, view }) => view !== undefined && (id !== dead.id || slots.length === 0)),
    );
    assert.equal(await checkText(cluster, cluster.addresses[0] ?? ''), undefined);
  });

  test('again, it finds nothing to do', async () => {
    await assert.rejects(plan(), /All hash slots .* are served/);
  });
});
