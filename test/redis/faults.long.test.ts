import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Plan } from '../../src/model/plan.ts';
import { mastersOf } from '../../src/model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { countSlots, hasSlot, slotCount } from '../../src/model/slots.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { planRebalance } from '../../src/operations/rebalance.ts';
import { planReplicate } from '../../src/operations/replicate.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { planSetConfig } from '../../src/operations/setConfig.ts';
import { startChaosClient, type ChaosClient } from '../support/chaosClient.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { boundariesOf, checkText, countCommands, cutDialer, present, run, runAndDie } from './faultTools.ts';
import { dumpAll, fill, type Write } from './fill.ts';
import { readAnyway } from './readAnyway.ts';

let cluster: TestCluster;
let chaos: ChaosClient | undefined;
let data: ReadonlyMap<string, string>;
const injected = { killed: 0, cut: 0 };

before(async () => {
  cluster = await startRedisCluster({
    masters: 4,
    config: { 'repl-diskless-sync-delay': '0', 'cluster-allow-replica-migration': 'no' },
  });
  await fill(cluster, writes());
  data = await dumpAll(cluster);
  chaos = await startChaosClient({ nodes: cluster.nodes });
});
after(async () => {
  await chaos?.abandon();
  await cluster.stop();
});

function* writes(): Generator<Write> {
  for (let number = 0; number < 20_000; number++) {
    yield ['SET', Buffer.concat([Buffer.of(0xff, 0, 0x80), Buffer.from(String(number))]), `value ${number}`];
  }
}

/** What to do to the cluster as it is now; said again, it does something else, so that it can be said for ever. */
const operations: Readonly<Record<string, (snapshot: ClusterSnapshot) => Plan>> = {
  reshard: (snapshot) => {
    const owner = ownerOf(snapshot, 20);
    const other = mastersOf(snapshot).find((node) => node !== owner);
    return planReshard(snapshot, { from: [owner.id], to: other?.id ?? '', slots: [[0, 39]] });
  },
  rebalance: (snapshot) => {
    const last = ownerOf(snapshot, 16_383);
    const weight = countSlots(last.slots) > slotCount / 4 ? 0.97 : 1.03;
    return planRebalance(snapshot, { threshold: 0, weights: { [last.id]: weight } });
  },
  promote: (snapshot) => planPromote(snapshot, { node: replicaOf(snapshot, ownerOf(snapshot, 0)).id }),
  replicate: (snapshot) => {
    const crowd = mastersOf(snapshot).find((one) => followers(snapshot, one).length > 1);
    if (crowd !== undefined) return planReplicate(snapshot, { spread: true });
    const [from, to] = [ownerOf(snapshot, 0), ownerOf(snapshot, 16_383)];
    return planReplicate(snapshot, { node: replicaOf(snapshot, from).id, master: to.id });
  },
  setConfig: (snapshot) => {
    const [before, value] = samples.splice(0, 2, ...samples.toReversed());
    const values = new Map(snapshot.nodes.map(({ id }) => [id, before ?? '']));
    return planSetConfig(snapshot, { name: 'maxmemory-samples', value: value ?? '' }, { values });
  },
};

/** The present value of maxmemory-samples, and the one it gets next. */
const samples = ['5', '6'];

function ownerOf(snapshot: ClusterSnapshot, slot: number): RedisNode {
  const owner = mastersOf(snapshot).find(({ slots }) => hasSlot(slots, slot));
  assert.ok(owner, `nobody owns slot ${slot}`);
  return owner;
}

function followers({ nodes }: ClusterSnapshot, { id }: RedisNode): readonly RedisNode[] {
  return nodes.filter(({ masterId }) => masterId === id);
}

function replicaOf(snapshot: ClusterSnapshot, master: RedisNode): RedisNode {
  const [replica] = followers(snapshot, master);
  assert.ok(replica, `${master.id} has no replica`);
  return replica;
}

async function assertWhole(what: string): Promise<void> {
  assert.equal(await checkText(cluster, cluster.addresses[0] ?? ''), undefined, what);
}

describe('faults of the tool', { timeout: 900_000 }, () => {
  for (const [name, planFor] of Object.entries(operations)) {
    test(`${name}: killed at every boundary, the same plan run again ends it`, async (t) => {
      const now = await present(cluster);
      const first = planFor(await readAnyway(now));
      const there = await countCommands(now, first);
      // And back, which may take fewer.
      const commands = Math.min(there, await countCommands(now, planFor(await readAnyway(now))));
      const boundaries = boundariesOf(first, commands, 6);
      let reached = 0;
      for (const boundary of boundaries) {
        const plan = planFor(await readAnyway(now));
        const what = `${name} killed at ${JSON.stringify(boundary)}`;
        if (await runAndDie(now, plan, boundary)) reached++;
        const result = await run(now, plan);
        assert.equal(result.steps, plan.steps.length, what);
        await assertWhole(what);
      }
      injected.killed += reached;
      t.diagnostic(`${reached} faults injected at ${boundaries.length} boundaries, ${commands} commands`);
      assert.ok(
        reached >= boundaries.length - 2,
        `${reached} of ${boundaries.length} boundaries were reached`,
      );
    });

    test(`${name}: with all connections cut, the same plan run again ends it`, async (t) => {
      const now = await present(cluster);
      const commands = await countCommands(now, planFor(await readAnyway(now)));
      const points = new Set(Array.from({ length: 6 }, (_, index) => 1 + Math.floor((index * commands) / 6)));
      for (const command of points) {
        const plan = planFor(await readAnyway(now));
        const what = `${name} cut at command ${command}`;
        await run(now, plan, cutDialer(now.dialer, command)).catch(() => undefined);
        injected.cut++;
        const result = await run(now, plan);
        assert.equal(result.steps, plan.steps.length, what);
        await assertWhole(what);
      }
      t.diagnostic(`${points.size} connections cut among ${commands} commands`);
    });
  }

  test('no acknowledged write was lost by any of it', async (t) => {
    const report = await chaos?.stop();
    chaos = undefined;
    t.diagnostic(
      `${injected.killed + injected.cut} faults injected: tool killed ${injected.killed} times, connections cut ${injected.cut} times; ${report?.acknowledged.toLocaleString('en-US') ?? 0} writes acknowledged meanwhile, ${report?.losses.length ?? 0} lost`,
    );
    assert.deepEqual(report?.losses, []);
    assert.ok(report.acknowledged > 1000);
    const left = await dumpAll(cluster);
    for (const key of left.keys()) if (key.startsWith('chaos:')) left.delete(key);
    assert.deepEqual(left, data);
  });
});
