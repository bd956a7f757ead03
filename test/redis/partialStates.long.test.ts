import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import type { SlotSet } from '../../src/model/slots.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { present, run, runUnlessDone, untilSo } from '../support/redis/faultTools.ts';
import { strikingDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill } from '../support/redis/fill.ts';
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

let cluster: TestCluster;
let data: ReadonlyMap<string, string>;

before(async () => {
  cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '5000' } });
  await fill(cluster, plainWrites(10_000));
  data = await dumpAll(cluster);
});
after(() => cluster.stop());

function keySlotSet(slot: number): SlotSet {
  return [[slot, slot]];
}

/** Moves slots to the shard that had this node at the start, from whoever owns them now. */
async function moveTo(home: number, slots: SlotSet): Promise<void> {
  const now = await present(cluster);
  await runUnlessDone(now, () => healPlan(now));
  await runUnlessDone(now, async () => {
    const snapshot = await readAnyway(now);
    const shard = [nodeAt(cluster, home), nodeAt(cluster, home + 3)].map(({ id }) => id);
    const target = snapshot.nodes.find(({ id, role }) => role === 'master' && shard.includes(id));
    return planReshard(snapshot, { from: 'all', to: target?.id ?? '', slots });
  });
}

async function promoteByHand(newMaster: ClusterNode): Promise<void> {
  await withNode(cluster, newMaster, (connection) => connection.call('CLUSTER', 'FAILOVER'));
  await untilSo(await present(cluster), 'the hand-over', ({ nodes }) =>
    nodes.some(({ id, role }) => id === newMaster.id && role === 'master'),
  );
}

describe('what an interrupted move leaves behind', { timeout: 240_000 }, () => {
  test('a key that a MIGRATE left on both servers by its timeout is carried on as the source has it', async () => {
    const [source, target] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
    const slot = 4000;
    const key = keyIn('both', keySlotSet(slot));
    await withNode(cluster, target, (connection) =>
      connection.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id),
    );
    await withNode(cluster, source, async (connection) => {
      await connection.call('SET', key, 'older');
      await connection.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
      cluster.kill(target, 'SIGSTOP');
      try {
        await assert.rejects(
          connection.call('MIGRATE', target.host, target.port, '', 0, 300, 'KEYS', key),
          /IOERR/,
        );
      } finally {
        cluster.kill(target, 'SIGCONT');
      }
      await withNode(cluster, target, async (other) => {
        const replies = await other.pipeline([['ASKING'], ['GET', key]]);
        assert.equal(replies[1], 'older', 'the target has carried out what the source gave up on');
      });
      // Clients are served by the source, as long as it has the key.
      await connection.call('SET', key, 'newer');
      await assert.rejects(
        connection.call('MIGRATE', target.host, target.port, '', 0, 300, 'KEYS', key),
        /BUSYKEY/,
      );
    });
    await moveTo(1, keySlotSet(slot));
    await withNode(cluster, target, async (connection) => {
      assert.equal(await connection.call('GET', key), 'newer');
      await connection.call('DEL', key);
    });
    await assertNoneOpen(cluster, cluster.nodes);
    await assertWhole(cluster, source);
  });

  for (const [end, home, slots] of [
    ['source', 0, [[0, 199]]],
    ['target', 1, [[200, 399]]],
  ] as const) {
    test(`a ${end} whose replica is promoted by hand meanwhile: the move says so and goes on with that one`, async () => {
      const now = await present(cluster);
      const snapshot = await readAnyway(now);
      const [source, target] = [nodeAt(cluster, 0), nodeAt(cluster, 1)];
      const newMaster = nodeAt(cluster, home + 3);
      const masters = [source, target].map(({ number }) => masterOf(snapshot.nodes, number));
      const plan = planReshard(snapshot, { from: [masters[0] ?? ''], to: masters[1] ?? '', slots });
      let migrates = 0;
      const dialer = strikingDialer(now.dialer, async (_, [verb]) => {
        if (verb === 'MIGRATE' && ++migrates === 30) await promoteByHand(newMaster);
      });
      await assert.rejects(run(now, plan, dialer), (error) => {
        assert.ok(error instanceof UserError, String(error));
        const whose =
          end === 'source'
            ? `${newMaster.host}:${newMaster.port} serves these slots now`
            : 'the target does not take them now';
        assert.ok(error.message.includes(`${whose}, such as after a failover`), error.message);
        assert.match(error.message, /Still open: [\d,-]+\. Moved slots stay on the target\./);
        return true;
      });
      await sleep(500);
      await moveTo(1, slots);
      await assertNoneOpen(cluster, cluster.nodes);
      await assertWhole(cluster, newMaster);
      assert.deepEqual(await dumpAll(cluster), data);
    });
  }
});

function masterOf(
  nodes: readonly { readonly id: string; readonly role: string }[],
  home: number,
): string | undefined {
  const shard = [nodeAt(cluster, home % 3), nodeAt(cluster, (home % 3) + 3)].map(({ id }) => id);
  return nodes.find(({ id, role }) => role === 'master' && shard.includes(id))?.id;
}
