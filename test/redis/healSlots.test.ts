import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster } from 'ioredis';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { hasSlot, type SlotSet } from '../../src/model/slots.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { findStrays } from '../../src/operations/repair/strays.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { present, run } from '../support/redis/faultTools.ts';
import { fill } from '../support/redis/fill.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import {
  assertNoneOpen,
  keyIn,
  nodeAt,
  plainWrites,
  viewOf,
  withNode,
} from '../support/redis/moveFixture.ts';

let cluster: TestCluster;
let client: Cluster;

before(async () => {
  cluster = await startRedisCluster({ replicasPerMaster: 0 });
  // So many keys that Heal counts them slot by slot instead of listing all.
  await fill(cluster, plainWrites(20_000));
  client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })));
});
after(async () => {
  client.disconnect();
  await cluster.stop();
});

async function setSlot(index: number, slot: number, ...how: readonly string[]): Promise<void> {
  await withNode(cluster, nodeAt(cluster, index), (line) => line.call('CLUSTER', 'SETSLOT', slot, ...how));
}

async function heal(): Promise<Plan> {
  const now = await present(cluster);
  const plan = await healPlan(now);
  await run(now, plan);
  await assertNoneOpen(cluster, cluster.nodes);
  await assert.rejects(healPlan(now), /no slot is open/);
  return plan;
}

/** Writes growing numbers to these keys until it is stopped, and returns the last that was acknowledged of each. */
function startWriting(keys: readonly string[]): { stop(): Promise<ReadonlyMap<string, number>> } {
  const acknowledged = new Map<string, number>();
  const over = new AbortController();
  const writing = (async () => {
    for (let number = 1; !over.signal.aborted; number++) {
      for (const key of keys) {
        await client.set(key, number);
        acknowledged.set(key, number);
      }
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await writing;
      return acknowledged;
    },
  };
}

describe('slots that are left open', { timeout: 120_000 }, () => {
  test('one that two masters import, one of them with copies of keys, stays with its owner while clients write', async () => {
    const slot = 100;
    const slots: SlotSet = [[slot, slot]];
    const [owner, copier] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const tag = keyIn('tag', slots);
    const keys = Array.from({ length: 400 }, (_, number) => `{${tag}}${number}`);
    for (const key of keys) await client.set(key, `value of ${key}`);
    await setSlot(1, slot, 'IMPORTING', owner.id);
    await setSlot(2, slot, 'IMPORTING', owner.id);
    await withNode(cluster, owner, async (line) => {
      const { host, port } = copier;
      await line.call('MIGRATE', host, port, '', 0, 1000, 'COPY', 'KEYS', ...keys.slice(0, 50));
      // Keys that only the importer has, as a failover of the owner leaves them.
      await line.call('DEL', ...keys.slice(40, 50));
    });
    const writer = startWriting([`{${tag}}written`, ...keys.slice(100, 110)]);
    const plan = await heal();
    const acknowledged = await writer.stop();
    assert.deepEqual(
      plan.steps.map((step) => (step.kind === 'bringKeys' ? [step.from, step.to, step.slots] : step.kind)),
      [
        [copier.id, owner.id, slots],
        [nodeAt(cluster, 2).id, owner.id, slots],
      ],
    );
    assert.equal(acknowledged.size, 11);
    for (const key of [...keys, ...acknowledged.keys()]) {
      assert.equal(await client.get(key), String(acknowledged.get(key) ?? `value of ${key}`), key);
    }
    assert.ok(hasSlot((await viewOf(cluster, owner)).self.slots, slot));
    for (const index of [1, 2]) {
      const count = await withNode(cluster, nodeAt(cluster, index), (line) =>
        line.call('CLUSTER', 'COUNTKEYSINSLOT', slot),
      );
      assert.equal(count, 0);
    }
  });

  test('one that only a receiver without keys calls open is closed there, and no key travels', async () => {
    const [slot, owner] = [101, nodeAt(cluster, 0)];
    const key = keyIn('stays', [[slot, slot]]);
    await client.set(key, 'kept');
    await setSlot(1, slot, 'IMPORTING', owner.id);
    const { steps } = await heal();
    assert.match(
      steps[0]?.text ?? '',
      /^Move the keys that \S+ holds in 1 slot \(101\) to \S+, .* \(0 keys; \S+ owns/,
    );
    assert.equal(await client.get(key), 'kept');
    assert.ok(hasSlot((await viewOf(cluster, owner)).self.slots, slot));
  });

  test('copies that differ are left where they are, and when a person has removed one the slot is repaired', async () => {
    const [slot, owner, other] = [102, nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const key = keyIn('differs', [[slot, slot]]);
    await client.set(key, 'of the owner');
    await setSlot(1, slot, 'IMPORTING', owner.id);
    await withNode(cluster, other, (line) => line.pipeline([['ASKING'], ['SET', key, 'of the other']]));
    await assert.rejects(
      healPlan(await present(cluster)),
      /Slot 102: the key "differs:\d+" has different values on .*You have to decide/,
    );
    // What the message says to do.
    await withNode(cluster, other, (line) => line.pipeline([['ASKING'], ['DEL', key]]));
    await heal();
    assert.equal(await client.get(key), 'of the owner');
  });

  test('a key in a slot that nobody calls open, on a server with many keys, comes home', async () => {
    const [slot, owner, other] = [103, nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const key = keyIn('astray', [[slot, slot]]);
    await setSlot(1, slot, 'IMPORTING', owner.id);
    await withNode(cluster, other, (line) => line.pipeline([['ASKING'], ['SET', key, 'found']]));
    await setSlot(1, slot, 'STABLE');
    assert.equal(await client.get(key), null);
    const now = await present(cluster);
    const [stray, ...more] = await findStrays(() => readAnyway(now), now.dialer);
    assert.deepEqual([stray?.nodeIds, stray?.slots, more], [[other.id], [[slot, slot]], []]);
    await heal();
    assert.deepEqual(await findStrays(() => readAnyway(now), now.dialer), []);
    assert.equal(await client.get(key), 'found');
  });
});
