import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, isSound } from '../../src/checks/check.ts';
import { verdictText } from '../../src/checks/verdict.ts';
import type { Finding } from '../../src/model/finding.ts';
import { History } from '../../src/model/history.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { planFix } from '../../src/operations/fix.ts';
import { readStrayKeys } from '../../src/operations/repair/lostFacts.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import { nodeAt, withNode } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

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

test('servers that were reset and that others still list know nobody: heal introduces them, then fix assigns their slots', async () => {
  const ports = runPorts(cluster, { readSnapshot: () => read() });
  const reset = async (index: number): Promise<void> => {
    await withNode(cluster, nodeAt(cluster, index), (line) =>
      line.pipeline([['FLUSHALL'], ['CLUSTER', 'RESET', 'SOFT']]),
    );
  };
  const untilFound = async (isSo: (found: readonly Finding[]) => boolean): Promise<readonly Finding[]> => {
    const end = performance.now() + 30_000;
    for (;;) {
      const found = check(await read());
      if (isSo(found)) return found;
      assert.ok(performance.now() < end, JSON.stringify(found, undefined, 1));
      await sleep(100);
    }
  };
  const isMutual = ({ rule }: Finding): boolean => rule === 'mutual';
  await reset(5);
  const alone = (await untilFound((found) => found.some(isMutual))).find(isMutual);
  const { host, port } = nodeAt(cluster, 5);
  assert.ok(alone?.message.startsWith(`${host}:${port} does not know 5 other nodes: `), alone?.message);
  await runPlan(await healPlan(cluster), ports);
  await untilFound((found) => !found.some(isMutual));

  // The master whose replica that was: nobody else has its slots.
  await reset(2);
  const coverage = check(await read()).find(({ rule }) => rule === 'coverage');
  assert.match(coverage?.remedy ?? '', /other findings name/, 'Fix would be refused');
  await runPlan(await healPlan(cluster), ports);
  const whole = await read();
  await runPlan(planFix(whole, await readStrayKeys(whole, cluster.dialer)), ports);
  await untilFound(isSound);
});
