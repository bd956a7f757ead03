import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, isSound } from '../../src/checks/check.ts';
import { verdictText } from '../../src/checks/verdict.ts';
import type { Finding } from '../../src/model/finding.ts';
import { History } from '../../src/model/history.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { agreed } from '../../src/operations/agreed.ts';
import { runPlan } from '../../src/operations/runPlan.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { healPlan } from './healPlan.ts';
import { readAnyway } from './readAnyway.ts';
import { runPorts } from './runPorts.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await startRedisCluster();
});
after(() => cluster.stop());

const history = new History();
const read = async (): Promise<ClusterSnapshot> => ({ ...(await readAnyway(cluster)), history });

/** As Check Cluster asks: it waits for what gossip brings by itself. */
async function findings(): Promise<readonly Finding[]> {
  return check(await agreed(() => read()));
}

test('a hundred checks of a healthy cluster find nothing', async () => {
  await findings();
  for (let checks = 0; checks < 100; checks++) {
    const snapshot = await read();
    assert.deepEqual(check(snapshot), []);
    assert.equal(verdictText(snapshot, []), 'test is healthy: nothing found.');
  }
});

test('masters that are made to forget every replica again and again are found, and heal introduces them', async () => {
  const replicas = cluster.nodes.slice(3);
  const forgetAll = async (): Promise<void> => {
    for (const { id } of cluster.nodes.slice(0, 3)) {
      const connection = await cluster.dialer.dial(id);
      await connection.pipeline(replicas.map((replica) => ['CLUSTER', 'FORGET', replica.id]));
      connection.close();
    }
  };
  for (let times = 0; times < 8; times++) {
    await forgetAll();
    check(await read());
    await sleep(800);
  }
  const [found, ...others] = await findings();
  assert.deepEqual(others, []);
  assert.deepEqual([found?.rule, found?.severity], ['mutual', 'error']);
  assert.deepEqual(new Set(found?.nodeIds), new Set(replicas.map(({ id }) => id)));
  assert.match(found?.message ?? '', /^3 nodes are not known to all other nodes: /);
  assert.match(found?.remedy ?? '', /“Heal Cluster…”/);
  assert.equal(isSound(found === undefined ? [] : [found]), false);

  const plan = await healPlan(cluster);
  assert.deepEqual(
    new Set(plan.steps.flatMap((step) => (step.kind === 'meet' ? [step.node] : []))),
    new Set(found?.nodeIds),
  );
  await runPlan(plan, runPorts(cluster, { readSnapshot: () => read() }));
  assert.deepEqual(await findings(), []);
});
