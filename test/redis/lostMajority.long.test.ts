import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import { plainWrites } from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

let cluster: TestCluster | undefined;
after(() => cluster?.stop());

async function until(
  of: TestCluster,
  what: string,
  isSo: (snapshot: ClusterSnapshot) => boolean,
): Promise<ClusterSnapshot> {
  const end = performance.now() + 60_000;
  for (;;) {
    const snapshot = await readAnyway(of);
    if (isSo(snapshot)) return snapshot;
    assert.ok(performance.now() < end, `${what} did not come within a minute`);
    await sleep(100);
  }
}

test(
  'four of five masters killed: two takeovers with different epochs, then elections; every key is there',
  { timeout: 240_000 },
  async () => {
    const own = await startRedisCluster({
      masters: 5,
      config: { appendonly: 'yes', 'cluster-node-timeout': '1500' },
    });
    cluster = own;
    await fill(own, plainWrites(2000));
    const data = await dumpAll(own);
    const dead = own.nodes.slice(0, 4);
    const ids = dead.map(({ id }) => id);
    for (const node of dead) own.kill(node);
    const snapshot = await until(own, 'death', ({ nodes }) =>
      nodes.every(({ view }) =>
        (view?.others ?? []).every(({ id, linkState }) => !ids.includes(id) || linkState === 'disconnected'),
      ),
    );
    const plan = planPromote(snapshot, { how: 'takeover', dead: ids });
    assert.deepEqual(
      plan.steps.map((step) => step.kind === 'promote' && step.how),
      ['takeover', 'takeover', 'force', 'force'],
    );
    const result = await runPlan(plan, runPorts(own, { readSnapshot: () => readAnyway(own) }));
    assert.equal(result.steps, 4);
    await until(own, 'the whole cluster', ({ nodes }) =>
      nodes.every(({ view }) => view === undefined || view.clusterState === 'ok'),
    );
    const alive = { ...own, nodes: own.nodes.slice(4) };
    assert.deepEqual(await dumpAll(alive), data);
    for (const node of dead) await own.restart(node);
    const { nodes } = await until(own, 'ten nodes in their roles', (read) =>
      read.nodes.every(
        ({ id, role, view }) => view?.clusterState === 'ok' && (!ids.includes(id) || role === 'replica'),
      ),
    );
    const epochs = nodes.filter(({ role }) => role === 'master').map(({ configEpoch }) => configEpoch);
    assert.equal(new Set(epochs).size, 5);
    assert.deepEqual(await dumpAll(own), data);
  },
);
