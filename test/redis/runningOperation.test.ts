import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { planAddShard } from '../../src/operations/addShard.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { endedUnfinished, type JournalPorts } from '../../src/operations/run/journal.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { journaled } from '../../src/ui/run/journaled.ts';
import { journalFiles } from '../../src/ui/run/journalFiles.ts';
import { Operations } from '../../src/ui/run/operations.ts';
import type { Parts } from '../../src/ui/parts.ts';
import { UnfinishedOperations } from '../../src/ui/run/unfinishedOperations.ts';
import { checksDuring } from '../support/checksDuring.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import {
  assertNoneOpen,
  assertWhole,
  nodeAt,
  plainWrites,
  until,
  withNode,
} from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';
import { readWrittenPlan } from '../../src/operations/plans/planFile.ts';

let cluster: TestCluster;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-cluster-running-'));
  cluster = await startRedisCluster({ spares: 2, config: { 'repl-diskless-sync-delay': '0' } });
  await fill(cluster, plainWrites(20_000));
});
after(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The members; servers that are no member yet are read as soon as a member lists them. */
async function readNow(): Promise<ClusterSnapshot> {
  const members = { ...cluster, nodes: cluster.nodes.slice(0, 6) };
  const snapshot = await readAnyway(members);
  const spares = cluster.nodes.slice(6);
  const isListed = (id: string): boolean =>
    snapshot.nodes.some(({ view }) => view?.others.some((line) => line.id === id) === true);
  return spares.some(({ id }) => isListed(id)) ? await readAnyway(cluster) : snapshot;
}
test('checks during reshards there and back: no false alarm', async (context) => {
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const request = { from: [nodeAt(cluster, from).id], to: nodeAt(cluster, to).id, slots: 1500 };
    const plan = planReshard(await agreed(readNow, 30_000), request);
    const work = (): Promise<unknown> => runPlan(plan, runPorts(cluster, { readSnapshot: readNow }));
    await checksDuring(context, { read: readNow, own: plan, work });
  }
});

test('a window that closes in mid-move leaves no slot open within seconds, and the next one can resume', async (context) => {
  const store = journalFiles(folder);
  const clock = (): number => Date.now();
  const delay: JournalPorts['delay'] = (ms, signal) =>
    sleep(ms, undefined, { signal }).catch(() => undefined);
  const journals = { store, clock, delay };
  const operations = new Operations();
  const unfinished = new UnfinishedOperations(journals);
  const keys = await dumpAll(cluster);
  const plan = planReshard(await agreed(readNow, 30_000), {
    ...{ from: [nodeAt(cluster, 0).id], to: nodeAt(cluster, 1).id, slots: 4000 },
  });
  let moved = 0;
  const warn = (message: string): void => {
    assert.fail(message);
  };
  const parts = { journals, operations, unfinished, log: { warn } } as unknown as Parts;
  const work = operations.run(plan, (signal) =>
    journaled(parts, plan, async (observer) => {
      const report = ({ done = 0 }): number => (moved = done);
      const result = await runPlan(
        plan,
        runPorts(cluster, { signal, observer, report, readSnapshot: readNow }),
      );
      return { ...result, outcome: result.cancelled ? 'cancelled' : 'done', message: 'It ended.' };
    }),
  );
  await until(() => moved > 0, 'the first slots have moved');
  const began = performance.now();
  await operations.close(4_500);
  const took = performance.now() - began;
  context.diagnostic(`it ended ${took.toFixed(0)} ms after the window was told to close`);
  assert.ok(took < 2_000, `${took} ms`);
  assert.equal(operations.count, 0);
  assert.equal((await work).outcome, 'cancelled');
  assert.ok(moved < 4000);
  await assertNoneOpen(cluster, cluster.nodes);
  for (const node of cluster.nodes.slice(0, 6)) {
    const clients = String(await withNode(cluster, node, (one) => one.call('CLIENT', 'LIST')));
    assert.doesNotMatch(clients, /rck8s-hold/, 'agents need not wait for the time to be over');
  }
  await assert.rejects(
    operations.run(plan, () => Promise.resolve()),
    /VS Code is closing/,
  );
  const [left, ...others] = await endedUnfinished(journals);
  assert.deepEqual(others, []);
  assert.deepEqual([left?.end, left?.steps], ['closed', { done: 0, of: 1 }]);
  const resumable = left && readWrittenPlan(left.plan);
  assert.ok(resumable !== undefined);
  const resumed = await runPlan(resumable, runPorts(cluster, { readSnapshot: readNow }));
  assert.equal(resumed.movedSlots, 4000 - moved);
  await assertWhole(cluster, nodeAt(cluster, 0));
  assert.deepEqual(await dumpAll(cluster), keys);
});

test('checks while a shard is added: no false alarm', async (context) => {
  const servers = await Promise.all(
    cluster.nodes.slice(-2).map(async (node) => {
      const { self, others, keys } = await withNode(cluster, node, (one) => readNodeView(one));
      const { host, port } = node;
      const { id, busPort } = self;
      return { address: `${host}:${port}`, id, host, port, busPort, keys, slots: 0, others: others.length };
    }),
  );
  const addresses = servers.map(({ address }) => address);
  const plan = planAddShard(await agreed(readNow, 30_000), { addresses }, { servers });
  const work = (): Promise<unknown> => runPlan(plan, runPorts(cluster, { readSnapshot: readNow }));
  await checksDuring(context, { read: readNow, own: plan, work });
});
