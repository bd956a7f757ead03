import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keySlot } from '../../src/model/keySlot.ts';
import { countSlots, intersectSlots } from '../../src/model/slots.ts';
import { UserError } from '../../src/model/errors.ts';
import type { MoveProgress } from '../../src/redis/moveSlots/request.ts';
import {
  startRedisCluster,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import { faultyDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
import {
  assertNoneOpen,
  assertWhole,
  keyIn,
  move,
  nodeAt,
  plainWrites,
  until,
  viewOf,
  withNode,
} from '../support/redis/moveFixture.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: TestClusterOptions, keys: number): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  clusters.push(cluster);
  await fill(cluster, plainWrites(keys));
  return cluster;
}

async function configure(cluster: TestCluster, index: number, name: string, value: string): Promise<void> {
  await withNode(cluster, nodeAt(cluster, index), (connection) =>
    connection.call('CONFIG', 'SET', name, value),
  );
}

test("keys wait for the target's replica: a dead target loses no more than a block", async () => {
  const keys = 60_000;
  const cluster = await start({ config: { 'cluster-node-timeout': '3000' } }, keys);
  const [source, target, newMaster] = [nodeAt(cluster, 0), nodeAt(cluster, 1), nodeAt(cluster, 4)];
  const before = await dumpAll(cluster);
  let pauses = 0;
  const stop = new AbortController();
  cluster.kill(newMaster, 'SIGSTOP');
  const moving = move(cluster, [[0, 4999]], {
    signal: stop.signal,
    onProgress: (_, __, { paused }) => {
      if (paused?.includes('replica') === true) pauses++;
    },
  });
  await until(() => pauses > 0, 'the move waits for the replica');
  const { slots } = (await viewOf(cluster, target)).self;
  const moved = countSlots(intersectSlots(slots, [[0, 4999]]));
  assert.ok(moved < 4000, `${moved} slots had moved`);
  cluster.kill(target);
  stop.abort();
  const ended = await moving.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(ended === undefined || ended instanceof UserError, String(ended));
  cluster.kill(newMaster, 'SIGCONT');
  const rest = { ...cluster, nodes: cluster.nodes.filter((node) => node !== target) };
  await until(
    async () => (await viewOf(cluster, newMaster)).replication.role === 'master',
    'the replica takes over',
  );
  // The source may have given a block away of which the new master, which stood still, never heard: then the dead node is its
  // only owner, and the check says to assign it.
  const seenBySource = (await viewOf(cluster, source)).others.find(({ id }) => id === target.id);
  for (const [from, to] of seenBySource?.slots ?? []) {
    await withNode(cluster, newMaster, async (connection) => {
      await connection.call('CLUSTER', 'DELSLOTSRANGE', from, to);
      await connection.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await connection.call('CLUSTER', 'BUMPEPOCH');
    });
  }
  await until(async () => (await viewOf(cluster, source)).clusterState === 'ok', 'the cluster is whole');
  const left = await dumpAll(rest);
  const lost = [...before.keys()].filter((key) => !left.has(key)).length;
  console.log(`${lost} of ${keys} keys were on the dead target alone; ${moved} slots had moved`);
  assert.ok(lost <= 4096 + 64, `${lost} keys are lost`);
  const { movedSlots } = await move(cluster, [[0, 4999]], {
    to: newMaster.id,
    otherMasters: [nodeAt(cluster, 2).id],
  });
  assert.ok(movedSlots > 0);
  await assertNoneOpen(cluster, rest.nodes);
});

test('a move pauses while the target is too full, says so, and goes on by itself', async () => {
  const cluster = await start({ replicasPerMaster: 0 }, 5000);
  await configure(cluster, 1, 'maxmemory', '100mb');
  const seen: MoveProgress[] = [];
  const moving = move(cluster, [[0, 499]], {
    limits: { memoryPercent: 1 },
    onProgress: (_, __, progress) => seen.push(progress),
  });
  await until(() => seen.some(({ paused }) => paused !== undefined), 'the move pauses');
  assert.match(seen.at(-1)?.paused ?? '', /the target uses \d+% of its maxmemory, more than 1%/);
  await assertNoneOpen(cluster, cluster.nodes);
  await configure(cluster, 1, 'maxmemory', '0');
  const { movedSlots, cancelled } = await moving;
  assert.deepEqual([movedSlots, cancelled], [500, false]);
  const last = seen.at(-1);
  assert.deepEqual([last?.slots, last?.totalSlots, last?.paused], [500, 500, undefined]);
  assert.ok((last?.bytes ?? 0) > 0 && (last?.keysPerSecond ?? 0) > 0 && last?.secondsLeft === 0);
});

test('a move ends at the end of its window with no slot open', async () => {
  const cluster = await start({ replicasPerMaster: 0 }, 30_000);
  let until = '2999-01-01T00:00:00Z';
  const limits = {
    get until() {
      return until;
    },
  };
  const result = await move(cluster, [[0, 4999]], {
    limits,
    onProgress: (slots) => {
      if (slots > 100) until = '2000-01-01T00:00:00Z';
    },
  });
  assert.equal(result.cancelled, true);
  assert.ok(result.movedSlots > 100 && result.movedSlots < 1000, `${result.movedSlots} slots moved`);
  await assertNoneOpen(cluster, cluster.nodes);
});

test('a key too big for MIGRATE stays with its slot closed, by name, and all else moves', async () => {
  const cluster = await start({ replicasPerMaster: 1 }, 5000);
  const name = keyIn('enormous', [[40, 60]]);
  const slot = keySlot(name);
  await withNode(cluster, nodeAt(cluster, 0), async (connection) => {
    for (let field = 0; field < 60; field++)
      await connection.call('HSET', name, `field ${field}`, Buffer.alloc(1_200_000, field));
  });
  const { left, movedSlots, cancelled } = await move(cluster, [[0, 99]]);
  assert.deepEqual(left?.slots, [[slot, slot]]);
  assert.ok(left.why.includes(`"${name}" in slot ${slot} (about`), left.why);
  assert.deepEqual([movedSlots, cancelled], [99, false]);
  await assertNoneOpen(cluster, cluster.nodes);
  const { self } = await viewOf(cluster, nodeAt(cluster, 1));
  assert.equal(countSlots(intersectSlots(self.slots, [[0, 99]])), 99);
  await withNode(cluster, nodeAt(cluster, 0), async (connection) => {
    assert.equal(await connection.call('HLEN', name), 60);
  });
});

test('a target that is full refuses the keys: the error says so, no slot is left open, and the move goes on when there is room', async () => {
  const cluster = await start({ replicasPerMaster: 0 }, 20_000);
  const before = await dumpAll(cluster);
  await configure(cluster, 1, 'maxmemory', '1mb');
  await assert.rejects(move(cluster, [[0, 999]]), /OOM command not allowed.*Still open: none\./s);
  assert.deepEqual(await dumpAll(cluster), before);
  await configure(cluster, 1, 'maxmemory', '0');
  await move(cluster, [[0, 999]]);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster, nodeAt(cluster, 0));
});

test('a target that wants another password refuses the keys, and the move goes on with the right one', async () => {
  const cluster = await start({ replicasPerMaster: 0, password: 'the right one' }, 20_000);
  const before = await dumpAll(cluster);
  const dialer = { ...cluster.dialer, credentials: {} };
  await assert.rejects(move(cluster, [[0, 499]], { dialer }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /NOAUTH/);
    assert.doesNotMatch(error.message, /the right one/);
    return true;
  });
  assert.deepEqual(await dumpAll(cluster), before);
  await move(cluster, [[0, 499]]);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster, nodeAt(cluster, 0));
});

test('a target that is loading its data is waited for', async () => {
  const config = { 'enable-debug-command': 'yes', 'cluster-node-timeout': '15000' };
  const cluster = await start({ replicasPerMaster: 0, config }, 20_000);
  const before = await dumpAll(cluster);
  await configure(cluster, 1, 'key-load-delay', '300');
  let migrates = 0;
  let reload: Promise<unknown> | undefined;
  const dialer = faultyDialer(cluster.dialer, (_, [verb]) => {
    if (verb === 'MIGRATE' && ++migrates === 60) {
      reload = withNode(cluster, nodeAt(cluster, 1), (connection) => connection.call('DEBUG', 'RELOAD'));
    }
    return undefined;
  });
  const result = await move(cluster, [[0, 999]], { dialer });
  assert.equal(result.movedSlots, 1000);
  assert.ok(reload !== undefined);
  await reload;
  await sleep(100);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster, nodeAt(cluster, 0));
});

test('several moves at once share what there is, between different masters and from the same one', async () => {
  const cluster = await start({ replicasPerMaster: 0 }, 20_000);
  const before = await dumpAll(cluster);
  const [first, second, third] = [0, 1, 2].map((index) => nodeAt(cluster, index).id);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const results = await Promise.all([
    move(cluster, [[0, 499]]),
    move(cluster, [[500, 999]], { to: third, otherMasters: [second] }),
    move(cluster, [[11_000, 11_499]], { from: third, to: second, otherMasters: [first] }),
  ]);
  assert.deepEqual(
    results.map(({ movedSlots }) => movedSlots),
    [500, 500, 500],
  );
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster, nodeAt(cluster, 0));
});
