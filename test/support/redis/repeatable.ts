import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../../../src/model/clusterRef.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { mastersOf } from '../../../src/model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import { countSlots, eachSlot, hasSlot, slotCount } from '../../../src/model/slots.ts';
import { agreed } from '../../../src/operations/servers/agreed.ts';
import { planAddShard, type NewServer } from '../../../src/operations/addShard.ts';
import { planFix } from '../../../src/operations/fix.ts';
import { readStrayKeys } from '../../../src/operations/repair/lostFacts.ts';
import { planForget } from '../../../src/operations/forget.ts';
import { replicasOf } from '../../../src/operations/servers/nodes.ts';
import { planPromote } from '../../../src/operations/promote.ts';
import { planRebalance } from '../../../src/operations/rebalance.ts';
import { planRemoveShard } from '../../../src/operations/removeShard.ts';
import { planReplicate } from '../../../src/operations/replicate.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { planSetConfig } from '../../../src/operations/setConfig.ts';
import { readSetConfigFacts } from '../../../src/operations/settings/facts.ts';
import { withConnection } from '../../../src/operations/servers/withConnection.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import { hurried, present, run, runUnlessDone, type Present, type Server } from './faultTools.ts';
import { dyingDialer } from './faultyDialer.ts';
import { healPlan } from './healPlan.ts';
import { readAnyway } from './readAnyway.ts';

/** An operation that can be asked for for ever on a cluster whose last two servers may come and go. */
export interface Repeatable {
  /** Brings about what it needs, undisturbed: a server to forget, an interrupted move to finish. */
  readonly ready?: (cluster: Present) => Promise<void>;
  readonly planFor: (cluster: Present) => Promise<Plan>;
  /** What a person asks for to get there all the same, where the cluster has moved on and the plan is refused. */
  readonly again?: (cluster: Present, plan: Plan) => Promise<Plan>;
}

const slots = [[0, 39]] as const;

/** Operations by name; those that undo each other take turns. */
export const repeatables = {
  reshard: [
    {
      planFor: async (cluster) => {
        const snapshot = await readAnyway(cluster);
        const owner = ownerOf(snapshot, 20);
        const other = mastersOf(snapshot).find((node) => node !== owner && node.slots.length > 0);
        return planReshard(snapshot, { from: [owner.id], to: other?.id ?? '', slots });
      },
      again: async (cluster, plan) => {
        const snapshot = await readAnyway(cluster);
        const to = plan.steps.flatMap((step) => (step.kind === 'moveSlots' ? [step.to] : []))[0] ?? '';
        return planReshard(snapshot, { from: 'all', to: masterNow(snapshot, to), slots });
      },
    },
  ],
  rebalance: [
    {
      planFor: async (cluster) => {
        const snapshot = await readAnyway(cluster);
        const last = ownerOf(snapshot, slotCount - 1);
        const share = slotCount / mastersOf(snapshot).length;
        const weight = countSlots(last.slots) > share ? 0.97 : 1.03;
        return planRebalance(snapshot, { threshold: 0, weights: { [last.id]: weight } });
      },
    },
  ],
  promote: [
    {
      planFor: async (cluster) => {
        const snapshot = await readAnyway(cluster);
        return planPromote(snapshot, { node: replicaOf(snapshot, ownerOf(snapshot, 0)).id });
      },
    },
  ],
  replicate: [
    {
      planFor: async (cluster) => {
        const snapshot = await readAnyway(cluster);
        const crowd = mastersOf(snapshot).some(({ id }) => replicasOf(snapshot, id).length > 1);
        if (crowd) return planReplicate(snapshot, { spread: true });
        const from = ownerOf(snapshot, 0);
        const to = mastersOf(snapshot).find((node) => node.slots.length > 0 && node !== from);
        assert.ok(to);
        return planReplicate(snapshot, { node: replicaOf(snapshot, from).id, master: to.id });
      },
    },
  ],
  setConfig: [
    {
      planFor: async (cluster) => {
        const snapshot = await readAnyway(cluster);
        const name = 'maxmemory-samples';
        const facts = await readSetConfigFacts(snapshot, { name, value: '' }, cluster.dialer, undefined);
        const value = [...facts.values.values()][0] === '5' ? '6' : '5';
        return planSetConfig(snapshot, { name, value }, facts);
      },
    },
  ],
  'addShard and removeShard': [
    {
      ready: shrunk,
      planFor: planGrowth,
      again: async (cluster) =>
        planRebalance(await readAnyway(cluster), { useEmptyMasters: true, threshold: 0 }),
    },
    { ready: grown, planFor: planShrinking, again: planShrinking },
  ],
  forget: [
    {
      ready: async (cluster) => {
        await shrunk(cluster);
        await replicaJoins(await present(cluster));
      },
      planFor: async (cluster) => {
        const [leaving] = spares(cluster);
        return planForget(await readAnyway(cluster), { node: leaving.id });
      },
    },
  ],
  'heal, nodes apart': [{ ready: torn, planFor: planHealing }],
  'heal, a move half done': [{ ready: halfMoved, planFor: planHealing }],
  fix: [{ ready: unserved, planFor: planFixing }],
} as const satisfies Readonly<Record<string, readonly Repeatable[]>>;

export function ownerOf(snapshot: ClusterSnapshot, slot: number): RedisNode {
  const owner = mastersOf(snapshot).find((node) => hasSlot(node.slots, slot));
  assert.ok(owner, `nobody owns slot ${slot}`);
  return owner;
}

/** The node, or the one that has taken its place. */
function masterNow({ nodes }: ClusterSnapshot, id: string): string {
  const node = nodes.find((one) => one.id === id);
  return node?.role === 'replica' ? (node.masterId ?? '') : id;
}

function replicaOf(snapshot: ClusterSnapshot, master: RedisNode): RedisNode {
  const [replica] = replicasOf(snapshot, master.id);
  assert.ok(replica, `${master.id} has no replica`);
  return replica;
}

function spares({ nodes }: Present): readonly [Server, Server] {
  const [one, other] = nodes.slice(-2);
  assert.ok(one && other);
  return [one, other];
}

/** Servers that may come and go are probed as the command does it. */
async function probe(cluster: Present, server: Server): Promise<NewServer> {
  const { self, others, keys } = await withConnection(cluster, server.id, (one) => readNodeView(one));
  const { id, busPort } = self;
  const address = formatAddress(server);
  const { host, port } = server;
  return { address, id, host, port, busPort, keys, slots: self.slots.length, others: others.length };
}

async function planGrowth(cluster: Present): Promise<Plan> {
  const servers = await Promise.all(spares(cluster).map((server) => probe(cluster, server)));
  const addresses = servers.map(({ address }) => address);
  return planAddShard(await agreed(() => readAnyway(cluster)), { addresses }, { servers });
}

async function planShrinking(cluster: Present): Promise<Plan> {
  const [first, second] = await joined(cluster);
  const member = second?.role === 'master' ? second : first;
  if (member === undefined) throw new UserError('nothing-to-do', 'The shard is gone already.');
  return planRemoveShard(await agreed(() => readAnyway(cluster)), { node: member.id }, {});
}

/** Those of the last two servers that are members. */
async function joined(cluster: Present): Promise<readonly RedisNode[]> {
  const ids = spares(cluster).map(({ id }) => id);
  return (await readAnyway(cluster)).nodes.filter(({ id }) => ids.includes(id));
}

/** Takes the last two servers out of the cluster, whatever part they play. */
export async function shrunk(cluster: Present): Promise<void> {
  for (;;) {
    const now = await present(cluster);
    const members = await joined(now);
    const owner = members.find(({ slots: own }) => own.length > 0);
    const node = owner ?? members.find(({ role }) => role === 'replica') ?? members[0];
    if (node === undefined) return;
    const snapshot = await agreed(() => readAnyway(now));
    const leaving = { node: node.id };
    const plan = owner === undefined ? planForget(snapshot, leaving) : planRemoveShard(snapshot, leaving, {});
    await run(now, hurried(plan));
  }
}

/** Every master has the same number of replicas, or nearly so. */
export async function spread(cluster: Present): Promise<void> {
  await runUnlessDone(cluster, async () => planReplicate(await readAnyway(cluster), { spread: true }));
}

async function grown(cluster: Present): Promise<void> {
  if ((await joined(cluster)).some(({ slots: own }) => own.length > 0)) return;
  await shrunk(cluster);
  const now = await present(cluster);
  await run(now, hurried(await planGrowth(now)));
}

/** Makes the first of the last two servers a replica more of the last slot's master. */
async function replicaJoins(cluster: Present): Promise<void> {
  const [server] = spares(cluster);
  const { id, host, port, busPort, address } = await probe(cluster, server);
  const snapshot = await readAnyway(cluster);
  const meeting = { kind: 'meet', node: id, host, port, busPort, text: `${address} joins` } as const;
  const common = { title: 'a replica joins', ref: snapshot.ref, operation: 'replicate', request: {} };
  await run(cluster, { ...common, steps: [meeting], warnings: [], losses: [] });
  const master = ownerOf(snapshot, slotCount - 1).id;
  await run(cluster, planReplicate(await readAnyway(cluster), { node: id, master }));
}

/** Makes all others forget a replica, as after a time in which nobody could reach it. */
async function torn(cluster: Present): Promise<void> {
  await spread(cluster);
  const snapshot = await readAnyway(cluster);
  const forgotten = replicaOf(snapshot, ownerOf(snapshot, slotCount - 1));
  const others = snapshot.nodes.filter((node) => node !== forgotten);
  for (const { id } of others) {
    // Who has not met it again since it was forgotten before need not forget it.
    await withConnection(cluster, id, (connection) =>
      connection.call('CLUSTER', 'FORGET', forgotten.id),
    ).catch((error: unknown) => {
      assert.match(String(error), /Unknown node/);
    });
  }
}

/** Lets the tool die among the keys of a move, unless one has been left half done already. */
async function halfMoved(cluster: Present): Promise<void> {
  const { nodes } = await readAnyway(cluster);
  if (nodes.some(({ view }) => (view?.self.migrating.length ?? 0) > 0)) return;
  const plan = await repeatables.reshard[0].planFor(cluster);
  let migrates = 0;
  const dying = dyingDialer(cluster.dialer, (_, [verb]) => verb === 'MIGRATE' && ++migrates === 2);
  await assert.rejects(run(cluster, plan, dying), /the tool has died/);
}

async function planHealing(cluster: Present): Promise<Plan> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await healPlan(cluster);
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(200);
    }
  }
}

/**
 * Some slots of every master are no longer served, as when masters died before their new masters had heard of them; the keys
 * are there. Their owners let go first: others would believe a claim that is on its way.
 */
async function unserved(cluster: Present): Promise<void> {
  const snapshot = await readAnyway(cluster);
  const owners = mastersOf(snapshot).filter(({ slots: own }) => own.length > 0);
  const dropped = owners.flatMap(({ slots: own }) => [...eachSlot(own)].slice(0, 5));
  for (let attempt = 1; ; attempt++) {
    for (const { id } of [...owners, ...snapshot.nodes.filter((node) => !owners.includes(node))]) {
      // Refused for those that are gone already.
      const commands = dropped.map((slot) => ['CLUSTER', 'DELSLOTS', slot]);
      await withConnection(cluster, id, (connection) => connection.pipeline(commands));
    }
    await sleep(300);
    const views = (await readAnyway(cluster)).nodes.map(({ view }) => view);
    if (views.every((view) => view?.slotsAssigned === slotCount - dropped.length)) return;
    assert.ok(attempt < 20, 'slots that were dropped are still served');
  }
}

async function planFixing(cluster: Present): Promise<Plan> {
  const snapshot = await readAnyway(cluster);
  return planFix(snapshot, await readStrayKeys(snapshot, cluster.dialer));
}
