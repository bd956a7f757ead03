import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../../src/model/clusterRef.ts';
import { countSlots, intersectSlots, type SlotSet } from '../../src/model/slots.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import type { MoveMethod } from '../../src/redis/moveSlots/request.ts';
import type { Argument } from '../../src/redis/nodeConnection.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { whyNoOtherVersions, type ServerVersion } from '../support/serverVersions.ts';
import {
  startRedisCluster,
  type ClusterNode,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import { dyingDialer, faultyDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import {
  assertNoneOpen,
  assertWhole,
  move,
  nodeAt,
  plainWrites,
  until,
  viewOf,
  withNode,
} from '../support/redis/moveFixture.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const why = whyNoOtherVersions();
const skip = why !== undefined && process.env['CI'] !== 'true' ? why : false;
const ways: readonly (readonly [ServerVersion, MoveMethod])[] = [
  ['redisNewest', 'redisAtomic'],
  ['valkeyNewest', 'valkeyAtomic'],
];

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: TestClusterOptions, keys = 20_000): Promise<TestCluster> {
  const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '10000' }, ...options });
  clusters.push(cluster);
  await fill(cluster, plainWrites(keys));
  return cluster;
}

function isBegin([verb, first, second]: readonly Argument[]): boolean {
  return verb === 'CLUSTER' && (first === 'MIGRATESLOTS' || (first === 'MIGRATION' && second === 'IMPORT'));
}

async function owns(cluster: TestCluster, node: ClusterNode, slots: SlotSet): Promise<number> {
  return countSlots(intersectSlots((await viewOf(cluster, node)).self.slots, slots));
}

/** Keeps a migration under way for as long as a test needs it. */
async function slowDown(cluster: TestCluster, microsecondsPerKey: number): Promise<void> {
  await withNode(cluster, nodeAt(cluster, 0), (connection) =>
    connection.call('CONFIG', 'SET', 'rdb-key-save-delay', microsecondsPerKey),
  );
}

for (const [version, method] of ways) {
  test(`${version} moves slots by itself while a client writes, and nothing is lost`, { skip }, async () => {
    const cluster = await start({ version });
    const before = await dumpAll(cluster);
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    const progress: number[] = [];
    const result = await move(cluster, [[0, 2999]], { onProgress: (slots) => progress.push(slots) });
    const report = await chaos.stop();
    assert.deepEqual([report.missing, report.stale, report.losses], [0, 0, []]);
    assert.deepEqual([result.method, result.movedSlots, result.cancelled], [method, 3000, false]);
    assert.ok(result.movedKeys > 3000, `only ${result.movedKeys} keys were counted`);
    assert.equal(progress.at(-1), 3000);
    await assertWhole(cluster, nodeAt(cluster, 0));
    const later = await dumpAll(cluster);
    for (const [key, value] of before) assert.equal(later.get(key), value);
  });

  test(`cancelling a migration of ${version} leaves everything where it was`, { skip }, async () => {
    const cluster = await start({ version });
    const before = await dumpAll(cluster);
    await slowDown(cluster, 1000);
    const stop = new AbortController();
    const dialer = faultyDialer(cluster.dialer, (_, command) => {
      if (isBegin(command)) {
        setTimeout(() => {
          stop.abort();
        }, 50);
      }
      return undefined;
    });
    const result = await move(cluster, [[0, 1999]], { dialer, signal: stop.signal });
    assert.deepEqual([result.cancelled, result.movedSlots], [true, 0]);
    assert.equal(await owns(cluster, nodeAt(cluster, 0), [[0, 1999]]), 2000);
    await assertNoneOpen(cluster, cluster.nodes);
    await slowDown(cluster, 0);
    // Nothing is left behind that would refuse the next one.
    assert.equal((await move(cluster, [[0, 1999]])).movedSlots, 2000);
    assert.deepEqual(await dumpAll(cluster), before);
    await assertWhole(cluster, nodeAt(cluster, 0));
  });

  test(`a tool killed during a migration of ${version} finds it under way or ended`, { skip }, async () => {
    const cluster = await start({ version });
    const before = await dumpAll(cluster);
    await slowDown(cluster, 300);
    let begun = false;
    const dying = dyingDialer(cluster.dialer, (_, command) => {
      const isLast = begun;
      begun ||= isBegin(command);
      return isLast;
    });
    await assert.rejects(move(cluster, [[0, 1999]], { dialer: dying }), /the tool has died/);
    const begins: unknown[] = [];
    const watching = faultyDialer(cluster.dialer, (_, command) => {
      if (isBegin(command)) begins.push(command);
      return undefined;
    });
    const result = await move(cluster, [[0, 1999]], { dialer: watching });
    assert.deepEqual([result.movedSlots, begins.length], [2000, 0], 'the migration was not joined');
    assert.equal(await owns(cluster, nodeAt(cluster, 1), [[0, 1999]]), 2000);
    assert.deepEqual(await dumpAll(cluster), before);
    await assertWhole(cluster, nodeAt(cluster, 0));
  });

  test(
    `slots left open by MIGRATE are finished by MIGRATE before ${version} moves the rest`,
    { skip },
    async () => {
      const cluster = await start({ version });
      const before = await dumpAll(cluster);
      let migrates = 0;
      const dying = dyingDialer(cluster.dialer, (_, [verb]) => verb === 'MIGRATE' && ++migrates === 40);
      await assert.rejects(
        move(cluster, [[0, 499]], { dialer: dying, method: 'migrate' }),
        /the tool has died/,
      );
      const result = await move(cluster, [[0, 1999]]);
      assert.equal(result.method, method);
      assert.equal(await owns(cluster, nodeAt(cluster, 1), [[0, 1999]]), 2000);
      await assertNoneOpen(cluster, cluster.nodes);
      assert.deepEqual(await dumpAll(cluster), before);
      await assertWhole(cluster, nodeAt(cluster, 0));
    },
  );

  test(`MIGRATE moves slots on ${version} as well, while a client writes`, { skip }, async () => {
    const cluster = await start({ version });
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    const result = await move(cluster, [[0, 999]], { method: 'migrate' });
    const report = await chaos.stop();
    assert.deepEqual([report.missing, report.stale, report.losses], [0, 0, []]);
    assert.deepEqual([result.method, result.movedSlots], ['migrate', 1000]);
    await assertNoneOpen(cluster, cluster.nodes);
    await assertWhole(cluster, nodeAt(cluster, 0));
  });
}

for (const end of ['source', 'target'] as const) {
  test(
    `slots that MIGRATE left open on valkeyNewest are finished with the replica that took the ${end}'s place`,
    { skip },
    async () => {
      const cluster = await start({
        version: 'valkeyNewest',
        config: { 'cluster-node-timeout': '3000' },
      });
      const before = await dumpAll(cluster);
      let migrates = 0;
      const dying = dyingDialer(cluster.dialer, (_, [verb]) => verb === 'MIGRATE' && ++migrates === 40);
      const slots: SlotSet = [[0, 499]];
      await assert.rejects(move(cluster, slots, { dialer: dying, method: 'migrate' }), /the tool has died/);
      const [dead, newMaster] = end === 'source' ? [0, 3] : [1, 4];
      // What the tool did has been replicated by then.
      await sleep(500);
      cluster.kill(nodeAt(cluster, dead));
      const hasRole = async (index: number, role: string): Promise<boolean> =>
        (await viewOf(cluster, nodeAt(cluster, index))).replication.role === role;
      await until(() => hasRole(newMaster, 'master'), 'the replica takes over');
      await cluster.restart(nodeAt(cluster, dead));
      await until(() => hasRole(dead, 'replica'), 'the dead server follows it');
      const { id } = nodeAt(cluster, newMaster);
      await move(cluster, slots, {
        ...(end === 'source' ? { from: id } : { to: id }),
        method: 'migrate',
        otherMasters: [nodeAt(cluster, 2).id],
      });
      const owner = nodeAt(cluster, end === 'source' ? 1 : newMaster);
      assert.equal(await owns(cluster, owner, slots), 500);
      await assertNoneOpen(cluster, cluster.nodes);
      assert.deepEqual(await dumpAll(cluster), before);
      await assertWhole(cluster, owner);
    },
  );
}

test('slots that a replica of Valkey alone calls open are healed through its master', { skip }, async () => {
  // A replica that starts again goes on from the file of its last copy, unless too much has been written since.
  const config = { 'repl-backlog-size': '16384', 'cluster-node-timeout': '10000' };
  const cluster = await start({ version: 'valkeyNewest', config }, 3000);
  const [source, target, replica] = [nodeAt(cluster, 0), nodeAt(cluster, 1), nodeAt(cluster, 4)];
  const set = (node: ClusterNode, ...words: readonly string[]): Promise<unknown> =>
    withNode(cluster, node, (one) => one.call('CLUSTER', 'SETSLOT', 0, ...words));
  const openOn = async (node: ClusterNode): Promise<number> =>
    (await viewOf(cluster, node)).self.importing.length;
  await withNode(cluster, target, (one) => one.call('CONFIG', 'SET', 'rdb-key-save-delay', 3000));
  await withNode(cluster, source, (one) => one.call('FLUSHALL'));
  await set(target, 'IMPORTING', source.id);
  cluster.kill(replica);
  await cluster.restart(replica);
  await until(async () => (await viewOf(cluster, replica)).replication.syncing === true, 'the copy begins');
  await set(target, 'NODE', target.id);
  await set(source, 'NODE', target.id);
  await until(async () => (await viewOf(cluster, replica)).replication.linkUp === true, 'the copy ends');
  assert.deepEqual([await openOn(target), await openOn(replica)], [0, 1]);
  const plan = await healPlan(cluster);
  assert.deepEqual(
    plan.steps.map(({ text }) => text),
    [`Close 1 slot (0) on the replicas of ${formatAddress(target)}`],
  );
  await runPlan(plan, runPorts(cluster, { readSnapshot: () => readAnyway(cluster) }));
  assert.equal(await openOn(replica), 0);
  await assertWhole(cluster, target);
});

test(
  'between Redis and a newer Valkey slots move one way, and the other way is refused before any is opened',
  { skip },
  async () => {
    const cluster = await start({ mixed: { version: 'valkeyNewest', numbers: [1, 4] } });
    const [older, newer] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const before = await dumpAll(cluster);
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    const result = await move(cluster, [[0, 499]]);
    const report = await chaos.stop();
    assert.deepEqual([report.missing, report.stale, report.losses], [0, 0, []]);
    assert.deepEqual([result.method, result.movedSlots], ['migrate', 500]);
    assert.equal(await owns(cluster, newer, [[0, 499]]), 500);
    await assert.rejects(
      move(cluster, [[0, 99]], { from: newer.id, to: older.id }),
      /is Redis 7\.0\.\d+ and cannot read keys of .*, which is Valkey 9.*Nothing was moved/s,
    );
    await assertNoneOpen(cluster, cluster.nodes);
    const later = await dumpAll(cluster);
    assert.deepEqual(
      [...before.keys()].filter((key) => !later.has(key)),
      [],
    );
    await assertWhole(cluster, newer);
  },
);

test(
  'a source that stands still is given up, and its migration cancelled on the target',
  { skip },
  async () => {
    const config = { 'cluster-node-timeout': '3000', 'repl-timeout': '2' };
    const cluster = await start({ version: 'redisNewest', replicasPerMaster: 0, config }, 1000);
    const [source, target] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const dialer = faultyDialer(cluster.dialer, (_, command) => {
      if (isBegin(command)) cluster.kill(source, 'SIGSTOP');
      return undefined;
    });
    try {
      await assert.rejects(
        move(cluster, [[0, 99]], { dialer }),
        /gave up the slot migration.*No slot was moved/s,
      );
      const all = await withNode(cluster, target, (connection) =>
        connection.call('CLUSTER', 'MIGRATION', 'STATUS', 'ALL'),
      );
      assert.match(JSON.stringify(all), /"state","canceled"/);
    } finally {
      cluster.kill(source, 'SIGCONT');
    }
  },
);

test('a source that may not sign in at the target says so, and nothing has moved', { skip }, async () => {
  const password = 'all ask for it';
  const config = { masterauth: 'not this one', 'cluster-node-timeout': '10000' };
  const cluster = await start({ version: 'valkeyNewest', replicasPerMaster: 0, password, config }, 1000);
  await assert.rejects(move(cluster, [[0, 99]]), /(?:WRONGPASS|NOAUTH).*primaryauth.*No slot was moved/s);
  assert.equal(await owns(cluster, nodeAt(cluster, 0), [[0, 99]]), 100);
  await assertNoneOpen(cluster, cluster.nodes);
});
