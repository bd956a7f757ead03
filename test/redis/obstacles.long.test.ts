import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { mastersOf, nodeName } from '../../src/model/shards.ts';
import type { SlotSet } from '../../src/model/slots.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { planRebalance } from '../../src/operations/rebalance.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { planSetConfig } from '../../src/operations/setConfig.ts';
import { connectNode } from '../../src/redis/connect.ts';
import type { Credentials, NodeConnection } from '../../src/redis/nodeConnection.ts';
import {
  startRedisCluster,
  type ClusterNode,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import {
  checkText,
  present,
  run,
  runUnlessDone,
  untilSo,
  type Present,
} from '../support/redis/faultTools.ts';
import { strikingDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import {
  assertNoneOpen,
  assertWhole,
  keyIn,
  nodeAt,
  plainWrites,
  withNode,
} from '../support/redis/moveFixture.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { bytesBut, mountSmallDisk, unmount } from '../support/redis/smallDisk.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  clusters.push(cluster);
  await fill(cluster, plainWrites(5000));
  return cluster;
}

/** The servers, dialled as somebody who gives up on them soon. */
function dialledBy(cluster: TestCluster, credentials: Credentials = {}): Present {
  return {
    ...cluster,
    dialer: {
      credentials,
      dial: async (id) => {
        const node = cluster.nodes.find((one) => one.id === id);
        assert.ok(node);
        return await connectNode(node, credentials, { connectTimeoutMs: 1000, commandTimeoutMs: 2500 });
      },
    },
  };
}

/** Moves slots from the first master of the start to the second one. */
async function reshard(
  now: Present,
  slots: SlotSet,
  before?: (verb: unknown) => Promise<void>,
): Promise<void> {
  const [from, to] = now.nodes;
  const request = { from: [from?.id ?? ''], to: to?.id ?? '', slots };
  const plan = planReshard(await readAnyway(now), request);
  const dialer = before === undefined ? now.dialer : strikingDialer(now.dialer, (_, [verb]) => before(verb));
  await run(now, plan, dialer);
}

/** Something that happens once, before the n-th MIGRATE of a move. */
function atMigrate(nth: number, what: () => Promise<unknown>): (verb: unknown) => Promise<void> {
  let migrates = 0;
  return async (verb) => {
    if (verb === 'MIGRATE' && ++migrates === nth) await what();
  };
}

function says(...patterns: readonly RegExp[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  };
}

const address = ({ host, port }: ClusterNode): string => `${host}:${port}`;

describe('obstacles on the way of an operation', { timeout: 240_000 }, () => {
  test('a server that does not answer: before, it is named and nothing done; in the middle, it says where it stands', async () => {
    const cluster = await start({ replicasPerMaster: 0, config: { 'cluster-node-timeout': '3000' } });
    const data = await dumpAll(cluster);
    const target = nodeAt(cluster, 1);
    const now = dialledBy(cluster);
    const stop = atMigrate(20, () => {
      cluster.kill(target, 'SIGSTOP');
      return Promise.resolve();
    });
    try {
      await assert.rejects(
        reshard(now, [[0, 199]], stop),
        says(
          new RegExp(`Moving slots from ${address(nodeAt(cluster, 0))} to ${address(target)} stopped`),
          /Still open: [\d,-]+/,
          /Moved slots stay on the target\. Once both nodes answer, reshard slots [\d,-]+ to .* again/,
        ),
      );
      const silent = await readAnyway(now);
      const name = new RegExp(`${address(target)}.* (?:does not answer|has failed)`);
      for (const plan of [
        () => planReshard(silent, { from: 'all', to: nodeAt(cluster, 2).id, slots: 10 }),
        () => planRebalance(silent, { threshold: 0 }),
        () => planFlush(silent),
      ]) {
        assert.throws(plan, says(name, /Nothing was changed|would keep its keys/));
      }
      const values = new Map(silent.nodes.map(({ id }) => [id, '5']));
      const request = { name: 'maxmemory-samples', value: '6' };
      const setting = planSetConfig(silent, request, { values });
      assert.match(setting.warnings.join(), /does not answer and is left unchanged/);
    } finally {
      cluster.kill(target, 'SIGCONT');
    }
    await untilSo(now, 'the answer', ({ nodes }) => nodes.every(({ view }) => view?.clusterState === 'ok'));
    await reshard(now, [[0, 199]]);
    await assertNoneOpen(cluster, cluster.nodes);
    assert.deepEqual(await dumpAll(cluster), data);
    await assertWhole(cluster, nodeAt(cluster, 0));
  });

  test('a failover between two steps: what is done stays, the next step says who is whose, and planning again goes on', async () => {
    const cluster = await start();
    const data = await dumpAll(cluster);
    const now = await present(cluster);
    const snapshot = await readAnyway(now);
    const [first, second, third] = mastersOf(snapshot);
    const newMaster = snapshot.nodes.find(({ masterId }) => masterId === second?.id);
    assert.ok(first && second && third && newMaster);
    const weights = { [first.id]: 0.9, [second.id]: 0.9, [third.id]: 1 };
    const plan = planRebalance(snapshot, { threshold: 0, weights });
    assert.equal(plan.steps.length, 2);
    // One after the other, as steps between the same nodes go.
    const [one, other] = plan.steps;
    assert.ok(one && other);
    await run(now, { ...plan, steps: [one] });
    await withNode(cluster, nodeAt(cluster, 4), (connection) => connection.call('CLUSTER', 'FAILOVER'));
    const isNow = ({ nodes }: ClusterSnapshot, wanted: string, role: string): boolean =>
      nodes.some((node) => node.id === wanted && node.role === role);
    await untilSo(
      now,
      'the failover',
      (found) => isNow(found, newMaster.id, 'master') && isNow(found, second.id, 'replica'),
    );
    await assert.rejects(
      run(now, plan),
      says(
        new RegExp(`${nodeName(second)}, which gives slots, is now a replica\\. Create the plan again`),
        /1 of 2 steps done/,
      ),
    );
    await runUnlessDone(now, async () =>
      planRebalance(await readAnyway(now), {
        threshold: 0,
        weights: { [first.id]: 0.9, [newMaster.id]: 0.9, [third.id]: 1 },
      }),
    );
    assert.deepEqual(await dumpAll(cluster), data);
    await assertWhole(cluster, nodeAt(cluster, 0));
  });

  for (const [what, end, taken, message] of [
    ['the source of the right to MIGRATE', 0, '-migrate', /NOPERM.*migrate/is],
    ['the target of the right to be told of slots', 1, '-cluster', /NOPERM.*cluster/is],
    ['the target of the right to take keys', 1, '-restore-asking', /NOPERM.*restore-asking/is],
  ] as const) {
    test(`rights that ${what} takes away half-way: it says which, nothing is lost, and with them it goes on`, async () => {
      const cluster = await start({ replicasPerMaster: 0 });
      const data = await dumpAll(cluster);
      const tell = (node: ClusterNode, ...rules: readonly string[]): Promise<unknown> =>
        withNode(cluster, node, (connection) => connection.call('ACL', 'SETUSER', 'tool', ...rules));
      for (const node of cluster.nodes) await tell(node, 'on', '>its secret', '~*', '&*', '+@all');
      const now = dialledBy(cluster, { username: 'tool', password: 'its secret' });
      const stop = atMigrate(20, () => tell(nodeAt(cluster, end), taken));
      await assert.rejects(
        reshard(now, [[0, 199]], stop),
        says(message, /Moved: |No slot was moved/, /again; it resumes where this stopped/),
      );
      for (const node of cluster.nodes) await tell(node, '+@all');
      assert.deepEqual(await dumpAll(cluster), data);
      await reshard(now, [[0, 199]]);
      await assertNoneOpen(cluster, cluster.nodes);
      assert.deepEqual(await dumpAll(cluster), data);
      await assertWhole(cluster, nodeAt(cluster, 0));
    });
  }

  test('a user who may not run transactions can move slots', async () => {
    const cluster = await start({ replicasPerMaster: 0 });
    const data = await dumpAll(cluster);
    const rules = ['on', '>its secret', '~*', '&*', '+@all', '-@transaction'];
    for (const node of cluster.nodes) {
      await withNode(cluster, node, (connection) => connection.call('ACL', 'SETUSER', 'tool', ...rules));
    }
    await reshard(dialledBy(cluster, { username: 'tool', password: 'its secret' }), [[0, 199]]);
    await assertNoneOpen(cluster, cluster.nodes);
    assert.deepEqual(await dumpAll(cluster), data);
    await assertWhole(cluster, nodeAt(cluster, 0));
  });

  test('a slot that two masters claim: nothing is moved, and no node is introduced that would drop its keys by it', async () => {
    const config = { 'cluster-allow-reads-when-down': 'yes' };
    const cluster = await start({ replicasPerMaster: 0, config });
    const [one, other] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const slot = 100;
    const key = keyIn('twice', [[slot, slot]]);
    await fill(cluster, [['SET', Buffer.from(key), 'kept']]);
    const data = await dumpAll(cluster);
    // They forget each other, and the slot is given once more meanwhile: by a script, or a person in need.
    await withNode(cluster, one, (connection) => connection.call('CLUSTER', 'FORGET', other.id));
    await withNode(cluster, other, async (connection) => {
      await connection.call('CLUSTER', 'FORGET', one.id);
      await connection.call('CLUSTER', 'ADDSLOTS', slot);
      await connection.call('CLUSTER', 'BUMPEPOCH');
    });
    const now = await present(cluster);
    const snapshot = await readAnyway(now);
    const [first, second] = [address(one), address(other)];
    const both = new RegExp(`(?:${first} and ${second}|${second} and ${first}) both claim slots ${slot}`);
    const third = nodeAt(cluster, 2);
    const request = { from: [one.id], to: third.id, slots: [[0, 9]] } as const;
    assert.throws(() => planReshard(snapshot, request), says(both, /Nothing was changed/));
    assert.throws(() => planRebalance(snapshot, { threshold: 0, weights: { [third.id]: 2 } }), says(both));
    await assert.rejects(healPlan(now, snapshot), says(both, /CLUSTER DELSLOTS.*You have to decide/));
    await withNode(cluster, one, async (connection) => {
      assert.equal(await connection.call('GET', key), 'kept');
    });
    // What the message says to do.
    await withNode(cluster, other, (connection) => connection.call('CLUSTER', 'DELSLOTS', slot));
    await run(now, await healPlan(now));
    assert.equal(await checkText(cluster, address(one)), undefined);
    assert.deepEqual(await dumpAll(cluster), data);
  });

  const whyNoSmallDisk = process.getuid?.() === 0 ? undefined : 'to mount a small file system takes root';
  const skip = whyNoSmallDisk !== undefined && process.env['CI'] !== 'true' ? whyNoSmallDisk : false;
  test(
    "the target's disk is full: it says so, nothing is lost, and with room the move goes on",
    { skip },
    async () => {
      const cluster = await start({ replicasPerMaster: 0, config: { 'enable-protected-configs': 'yes' } });
      await fill(cluster, bigWrites([[0, 199]], 100));
      const data = await dumpAll(cluster);
      const target = nodeAt(cluster, 1);
      const disk = await mountSmallDisk(8);
      try {
        await withNode(cluster, target, (connection) => appendTo(connection, disk));
        await writeFile(join(disk, 'ballast'), Buffer.alloc(await bytesBut(disk, 200_000)));
        const now = dialledBy(cluster);
        await assert.rejects(
          reshard(now, [[0, 199]]),
          says(/MISCONF.*No space left on device/s, /Still open: [\d,-]+/, /again; it resumes/),
        );
        assert.deepEqual(await dumpAll(cluster), data);
        await rm(join(disk, 'ballast'));
        await untilSo(now, 'the next try to write', ({ nodes }) =>
          nodes.every(({ view }) => view?.persistence.appendOnlyWritten === true),
        );
        await reshard(now, [[0, 199]]);
        await assertNoneOpen(cluster, cluster.nodes);
        assert.deepEqual(await dumpAll(cluster), data);
        await assertWhole(cluster, nodeAt(cluster, 0));
      } finally {
        cluster.kill(target);
        await unmount(disk);
      }
    },
  );
});

function* bigWrites([[first, last] = [0, 0]]: SlotSet, count: number): Generator<Write> {
  for (let [number, found] = [0, 0]; found < count; number++) {
    const slot = keySlot(`big:${number}`);
    if (slot < first || slot > last) continue;
    found++;
    yield ['SET', Buffer.from(`big:${number}`), randomBytes(30_000)];
  }
}

/** Its own folder stays where nodes.conf is: a server that cannot write that one ends. */
async function appendTo(connection: NodeConnection, folder: string): Promise<void> {
  const [, home] = (await connection.call('CONFIG', 'GET', 'dir')) as readonly string[];
  await connection.call('CONFIG', 'SET', 'dir', folder);
  await connection.call('CONFIG', 'SET', 'appendonly', 'yes');
  for (;;) {
    const text = String(await connection.call('INFO', 'persistence'));
    if (text.includes('aof_rewrite_in_progress:0') && text.includes('aof_rewrite_scheduled:0')) break;
    await sleep(50);
  }
  await connection.call('CONFIG', 'SET', 'dir', home ?? '');
}
