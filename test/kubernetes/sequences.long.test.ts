import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../src/checks/check.ts';
import { UserError } from '../../src/model/errors.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { mastersOf } from '../../src/model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { planAddShard } from '../../src/operations/addShard.ts';
import { planMoveMastersOff } from '../../src/operations/moveMastersOff.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { planRebalance } from '../../src/operations/rebalance.ts';
import { planRemoveShard } from '../../src/operations/removeShard.ts';
import { planReplicate } from '../../src/operations/replicate.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { planScaleShape } from '../../src/operations/scaleShape.ts';
import { planSetConfig } from '../../src/operations/setConfig.ts';
import { readSetConfigFacts } from '../../src/operations/settings/facts.ts';
import { readShapeFacts } from '../../src/operations/shape/facts.ts';
import { prepareUpgrade } from '../../src/operations/upgrade.ts';
import { seeded, type Random } from '../simulation/random.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { dnsAddress } from '../support/kubernetes/layout.ts';
import { plannedCluster, type PlannedCluster } from '../support/plannedCluster.ts';

const sequences = Number(process.env['SEQUENCES'] ?? 10);
const operations = 20;
const firstSeed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** One operation with random arguments. What the planner refuses has changed nothing, and another one is drawn. */
type Draw = (cluster: PlannedCluster, snapshot: ClusterSnapshot, random: Random) => Plan | Promise<Plan>;

const replicasIn = ({ nodes }: ClusterSnapshot): readonly RedisNode[] =>
  nodes.filter(({ role }) => role === 'replica');

const draws: Readonly<Record<string, Draw>> = {
  reshard: (_, snapshot, random) => {
    const to = random.pick(mastersOf(snapshot)).id;
    return planReshard(snapshot, { from: 'all', to, slots: 1 + random.below(500), pace: 'fast' });
  },
  rebalance: (_, snapshot) => planRebalance(snapshot, { useEmptyMasters: true, pace: 'fast' }),
  promote: (_, snapshot, random) => planPromote(snapshot, { node: random.pick(replicasIn(snapshot)).id }),
  replicate: (_, snapshot, random) =>
    planReplicate(snapshot, {
      node: random.pick(replicasIn(snapshot)).id,
      master: random.pick(mastersOf(snapshot)).id,
    }),
  spread: (_, snapshot) => planReplicate(snapshot, { spread: true }),
  addShard: async ({ access }, snapshot) => {
    if (mastersOf(snapshot).length > 4) throw new UserError('invalid-input', 'Enough for this machine.');
    return planAddShard(snapshot, {}, await readShapeFacts(access, snapshot, false));
  },
  removeShard: async ({ access }, snapshot, random) => {
    const node = random.pick(mastersOf(snapshot)).id;
    return planRemoveShard(snapshot, { node }, await readShapeFacts(access, snapshot, false));
  },
  scale: async ({ access }, snapshot, random) => {
    const shape = random.pick([
      { masters: 3, replicasPerMaster: 1 },
      { masters: 3, replicasPerMaster: 2 },
      { masters: 4, replicasPerMaster: 1 },
    ]);
    return planScaleShape(snapshot, shape, await readShapeFacts(access, snapshot, false));
  },
  moveMastersOff: (_, snapshot, random) => {
    const workers = [...new Set(snapshot.nodes.flatMap(({ pod }) => pod?.worker ?? []))];
    return planMoveMastersOff(snapshot, { worker: random.pick(workers) });
  },
  setConfig: async ({ access, runPorts }, snapshot, random) => {
    const value = random.pick(['noeviction', 'volatile-lru', 'volatile-ttl']);
    const request = { name: 'maxmemory-policy', value };
    return planSetConfig(
      snapshot,
      request,
      await readSetConfigFacts(snapshot, request, runPorts.dialer, access),
    );
  },
};

/** Draws until a planner takes it; returns what was done. */
async function doSomething(cluster: PlannedCluster, random: Random): Promise<string> {
  const snapshot = await cluster.runPorts.readSnapshot();
  if (random.below(20) === 0) {
    const upgrade = await prepareUpgrade(cluster.access, snapshot, { restartedAt: new Date().toISOString() });
    await runPlan(upgrade, cluster.runPorts);
    return 'rollingRestart';
  }
  for (;;) {
    const [name, draw] = random.pick(Object.entries(draws));
    let plan: Plan;
    try {
      plan = await draw(cluster, snapshot, random);
    } catch (error) {
      if (error instanceof UserError) continue;
      throw error;
    }
    try {
      await runPlan(plan, cluster.runPorts);
    } catch (error) {
      throw new Error(`${name} (${plan.title})`, { cause: error });
    }
    return name;
  }
}

for (let sequence = 0; sequence < sequences; sequence++) {
  const seed = firstSeed + sequence;
  test(`${operations} random operations lose nothing, seed ${seed}`, async (t) => {
    const random = seeded(seed);
    const cluster = await plannedCluster(`random-${sequence}`, { limit: 1_800_000 });
    const { name } = cluster.ref;
    try {
      const secret = { secret: `${name}-auth`, key: 'password' };
      const password = (await cluster.access.readSecret(cluster.namespace, secret)) ?? '';
      const nodes = [{ host: `${name}-clients.${cluster.namespace}.svc.cluster.local`, port: 6379 }];
      const chaos = await startChaosClient({ nodes, nameServer: dnsAddress, password });
      const done: string[] = [];
      try {
        while (done.length < operations) done.push(await doSomething(cluster, random));
      } catch (error) {
        await chaos.abandon();
        throw new Error(`seed ${seed}, after ${done.join(', ')}`, { cause: error });
      }
      const { acknowledged, losses } = await chaos.stop();
      t.diagnostic(`seed ${seed}: ${done.join(', ')}; ${acknowledged} writes acknowledged`);
      assert.deepEqual(losses, []);
      const found = check(await cluster.runPorts.readSnapshot());
      assert.deepEqual(
        found.filter(({ severity }) => severity === 'error'),
        [],
      );
    } finally {
      await cluster.close();
    }
  });
}
