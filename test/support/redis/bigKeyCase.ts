import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { keySlot } from '../../../src/model/keySlot.ts';
import { countSlots, formatSlots, intersectSlots } from '../../../src/model/slots.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import { bigKeysAhead } from '../../../src/redis/moveSlots/bigKeysAhead.ts';
import { startRedisCluster } from '../startRedisCluster.ts';
import { fill } from './fill.ts';
import { assertNoneOpen, assertWhole, keyIn, nodeAt, plainWrites, viewOf, withNode } from './moveFixture.ts';
import { readSnapshot } from './readSnapshot.ts';
import { runPorts } from './runPorts.ts';
import { slowDown } from './slowServers.ts';

export interface BigKeyCase {
  /** Fields of the key that must not move, and of one that may. */
  readonly big: number;
  readonly small: number;
  readonly nodeTimeoutMs: number;
  readonly runMs: number;
  readonly stopMs: number;
}

/**
 * Resharding from a slow server to a slow server, with a hash that would stop both for longer than the others wait for
 * them: nobody fails over, that slot alone stays, all keys are there, and the result names the key.
 */
export async function moveBigKeySlowly({ big, small, nodeTimeoutMs, ...pace }: BigKeyCase): Promise<void> {
  const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': String(nodeTimeoutMs) } });
  const watching = new AbortController();
  let stopSlowing: (() => Promise<void>) | undefined;
  try {
    const [from, to, third] = [nodeAt(cluster, 0), nodeAt(cluster, 1), nodeAt(cluster, 2)];
    await fill(cluster, plainWrites(3000));
    const [bigName, smallName] = [keyIn('big "one"', [[100, 110]]), keyIn('small', [[120, 130]])];
    await withNode(cluster, from, async (connection) => {
      for (const [name, fields] of [
        [bigName, big],
        [smallName, small],
      ] as const) {
        // In pieces: one script that makes all of it would stop the server as well.
        for (let done = 0; done < fields; done += 10_000) {
          const piece = `for i=${done + 1},${Math.min(fields, done + 10_000)} do redis.call('HSET',KEYS[1],'field:'..i,'value of '..i) end`;
          await connection.call('EVAL', piece, 1, name);
        }
      }
    });
    const request = { from: [from.id], to: to.id, slots: [[0, 299]] as const };
    const plan = planReshard(await readSnapshot(cluster), request);
    const ahead = await bigKeysAhead({
      ...{ dialer: cluster.dialer, from: from.id, to: to.id, slots: request.slots, withinMs: 10_000 },
    });
    assert.ok(
      ahead?.includes(`The key ${JSON.stringify(bigName)} in slot ${keySlot(bigName)} (about `),
      ahead,
    );
    stopSlowing = await slowDown(cluster, [from, to], pace);
    const seen = watch();
    const result = await runPlan(plan, runPorts(cluster));
    watching.abort();
    assert.deepEqual(await seen, []);
    await stopSlowing();
    stopSlowing = undefined;

    const slot = keySlot(bigName);
    assert.equal(result.leftSlots, String(slot));
    const why = result.leftWhy?.join(' ') ?? '';
    assert.ok(why.includes(`${JSON.stringify(bigName)} in slot ${slot} (about `), why);
    assert.ok(why.includes(`${big.toLocaleString('en-US')} elements`), why);
    assert.match(why, /Slot \d+ was not opened and stays on .*Set cluster-node-timeout to \d+/);
    assert.deepEqual([result.movedSlots, result.cancelled], [299, false]);
    assert.ok(
      (result.longestWaitMs ?? 0) > 0 && (result.longestWaitMs ?? 0) < nodeTimeoutMs,
      JSON.stringify(result),
    );

    const views = await Promise.all(cluster.nodes.map((node) => viewOf(cluster, node)));
    assert.deepEqual(
      views.map(({ replication }) => replication.role),
      cluster.nodes.map(({ role }) => role),
    );
    const owned = views[1]?.self.slots ?? [];
    assert.equal(countSlots(intersectSlots(owned, request.slots)), 299, formatSlots(owned));
    assert.deepEqual(await lengths(), [big, small]);
    await assertNoneOpen(cluster, cluster.nodes);
    await assertWhole(cluster, third);

    async function lengths(): Promise<readonly unknown[]> {
      const length = (node: typeof from, name: string): Promise<unknown> =>
        withNode(cluster, node, (connection) => connection.call('HLEN', name));
      return [await length(from, bigName), await length(to, smallName)];
    }

    /** What a master that takes no part sees: it must never think that one has failed or that slots are not served. */
    async function watch(): Promise<readonly string[]> {
      const troubles: string[] = [];
      await withNode(cluster, third, async (connection) => {
        while (!watching.signal.aborted) {
          const info = String(await connection.call('CLUSTER', 'INFO'));
          const nodes = String(await connection.call('CLUSTER', 'NODES'));
          if (!info.includes('cluster_state:ok')) troubles.push(info);
          if (/\bfail\b(?!\?)/.test(nodes)) troubles.push(nodes);
          await sleep(50);
        }
      });
      return troubles;
    }
  } finally {
    watching.abort();
    await stopSlowing?.();
    await cluster.stop();
  }
}
