import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { dryRun } from '../../src/operations/run/dryRun.ts';
import { planFromFile, readPlanFile, writePlanFile } from '../../src/operations/plans/planFile.ts';
import { planRebalance } from '../../src/operations/rebalance.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(masters: number, replicasPerMaster: number): Promise<TestCluster> {
  const config = { 'cluster-allow-replica-migration': 'no' };
  const cluster = await startRedisCluster({ masters, replicasPerMaster, config });
  clusters.push(cluster);
  return cluster;
}

function* writes(): Generator<Write> {
  for (let number = 0; number < 10_000; number++) {
    yield ['SET', Buffer.concat([Buffer.of(0xff, 0), Buffer.from(String(number))]), `value ${number}`];
  }
}

function node(cluster: TestCluster, index: number): ClusterNode {
  const found = cluster.nodes[index];
  if (found === undefined) throw new Error(`there is no node ${index}`);
  return found;
}

async function assertWhole(cluster: TestCluster): Promise<void> {
  let answer = { code: 1, stdout: '' };
  for (let attempt = 0; attempt < 40 && answer.code !== 0; attempt++) {
    answer = await cluster.cli('--cluster', 'check', cluster.addresses[0] ?? '');
    if (answer.code !== 0) await sleep(100);
  }
  assert.equal(answer.code, 0, answer.stdout);
}

test('a plan stopped in the middle is gone on with by running the same plan, also from its file', async () => {
  const cluster = await start(4, 0);
  await fill(cluster, writes());
  const before = await dumpAll(cluster);
  const weights = { [node(cluster, 3).id]: 0 };
  const plan = planRebalance(await readSnapshot(cluster), { weights, threshold: 0 });
  assert.equal(plan.steps.length, 3);
  const stop = new AbortController();
  const report = ({ done = 0 }): void => {
    if (done > 1500) stop.abort();
  };
  const first = await runPlan(plan, runPorts(cluster, { signal: stop.signal, report }));
  assert.ok(
    first.cancelled && first.movedSlots > 1000 && first.movedSlots < 4096,
    `${first.movedSlots} slots`,
  );
  await assertWhole(cluster);
  const left = (await dryRun(plan, runPorts(cluster))).filter((line) => !/already (done|so)$/.test(line));
  assert.equal(left.length, 3 - first.steps);
  assert.ok(left.length === 0 || left[0]?.endsWith('could start now'));
  const second = await runPlan(plan, runPorts(cluster));
  assert.deepEqual([second.cancelled, second.steps, second.skipped], [false, 3, first.steps]);
  assert.equal(first.movedSlots + second.movedSlots, 4096);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster);
  const file = writePlanFile(plan, await readSnapshot(cluster), new Date());
  const again = planFromFile(readPlanFile(file), await readSnapshot(cluster));
  assert.equal((await runPlan(again, runPorts(cluster))).skipped, 3);
});

test('a failover between the plan and the run is noticed by the step and by the file, and nothing is moved', async () => {
  const cluster = await start(3, 1);
  const [source, target, newMaster] = [node(cluster, 0), node(cluster, 1), node(cluster, 3)];
  const snapshot = await readSnapshot(cluster);
  const plan: Plan = planReshard(snapshot, { from: [source.id], to: target.id, slots: 100 });
  const file = writePlanFile(plan, snapshot, new Date());
  for (let attempt = 0; ; attempt++) {
    const { stdout } = await cluster.cli('-p', String(newMaster.port), 'CLUSTER', 'FAILOVER');
    await sleep(200);
    const now = await readSnapshot(cluster);
    if (now.nodes.find(({ id }) => id === newMaster.id)?.role === 'master') break;
    if (attempt > 100) throw new Error(`the replica did not take over: ${stdout}`);
  }
  const name = `${source.host}:${source.port}`;
  await assert.rejects(runPlan(plan, runPorts(cluster)), (error) => {
    assert.ok(error instanceof UserError && error.reason === 'unsafe');
    assert.equal(
      error.message,
      `${name}, which gives slots, is now a replica. Create the plan again. No slot of this step was moved.`,
    );
    return true;
  });
  const now = await readSnapshot(cluster);
  assert.throws(() => planFromFile(readPlanFile(file), now), new RegExp(`${name} is now a replica`));
  assert.deepEqual(await dryRun(plan, runPorts(cluster)), [
    `1. ${plan.steps[0]?.text ?? ''}: cannot start: ${name}, which gives slots, is now a replica. Create the plan again. No slot of this step was moved.`,
  ]);
  await assertWhole(cluster);
});
