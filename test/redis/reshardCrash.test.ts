import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { countSlots, intersectSlots, type SlotSet } from '../../src/model/slots.ts';
import { planReshard, type ReshardRequest } from '../../src/operations/reshard.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import type { Argument, ClusterDialer } from '../../src/redis/nodeConnection.ts';
import {
  startRedisCluster,
  type ClusterNode,
  type TestCluster,
  type TestClusterOptions,
} from '../support/startRedisCluster.ts';
import { dyingDialer, faultyDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import type { ProcessRequest } from '../support/redis/moveSlotsProcess.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';

const clusters: TestCluster[] = [];
after(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

async function start(options: TestClusterOptions): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  clusters.push(cluster);
  await fill(cluster, writes());
  return cluster;
}

function* writes(): Generator<Write> {
  for (let number = 0; number < 40_000; number++) {
    yield ['SET', Buffer.concat([Buffer.of(0xff, 0, 0x80), Buffer.from(String(number))]), `value ${number}`];
  }
}

function node(cluster: TestCluster, index: number): ClusterNode {
  const found = cluster.nodes[index];
  if (found === undefined) throw new Error(`there is no node ${index}`);
  return found;
}

async function reshard(
  cluster: TestCluster,
  request: ReshardRequest,
  snapshot: ClusterSnapshot,
  dialer: ClusterDialer = cluster.dialer,
): Promise<PlanResult> {
  return await runPlan(planReshard(snapshot, request), runPorts(cluster, { dialer }));
}

async function assertWhole(cluster: TestCluster, via: ClusterNode): Promise<void> {
  let answer = { code: 1, stdout: '' };
  for (let attempt = 0; attempt < 40 && answer.code !== 0; attempt++) {
    answer = await cluster.cli('--cluster', 'check', `${via.host}:${via.port}`);
    if (answer.code !== 0) await sleep(100);
  }
  assert.equal(answer.code, 0, answer.stdout);
}

function openIn(snapshot: ClusterSnapshot): number {
  return snapshot.nodes.reduce(
    (sum, { view }) => sum + (view?.self.migrating.length ?? 0) + (view?.self.importing.length ?? 0),
    0,
  );
}

test('a tool killed at any step of a move leaves a state from which the same move goes on', async () => {
  const cluster = await start({ replicasPerMaster: 0 });
  const before = await dumpAll(cluster);
  const source = node(cluster, 0);
  const target = node(cluster, 1);
  const isSetSlot = (command: readonly Argument[], verb: string): boolean =>
    command[1] === 'SETSLOT' && command[3] === verb;
  const steps: Record<string, (id: string, command: readonly Argument[]) => boolean> = {
    'first IMPORTING': (_, command) => isSetSlot(command, 'IMPORTING'),
    'some IMPORTING': (_, command) => isSetSlot(command, 'IMPORTING') && Number(command[2]) % 64 === 32,
    'first MIGRATING': (_, command) => isSetSlot(command, 'MIGRATING'),
    'some MIGRATING': (_, command) => isSetSlot(command, 'MIGRATING') && Number(command[2]) % 64 === 32,
    'first MIGRATE': (_, [verb]) => verb === 'MIGRATE',
    'later MIGRATE': (_, command) => command[0] === 'MIGRATE' && ++migrates === 40,
    'first count': (_, command) => command[1] === 'COUNTKEYSINSLOT',
    'some NODE on the target': (id, command) =>
      id === target.id && isSetSlot(command, 'NODE') && Number(command[2]) % 64 === 32,
    'first NODE on the source': (id, command) => id === source.id && isSetSlot(command, 'NODE'),
  };
  let migrates = 0;
  let first = 0;
  for (const [name, isLast] of Object.entries(steps)) {
    const slots: SlotSet = [[first, first + 127]];
    first += 128;
    const request: ReshardRequest = { from: [source.id], to: target.id, slots };
    const dying = dyingDialer(cluster.dialer, isLast);
    await assert.rejects(
      reshard(cluster, request, await readSnapshot(cluster), dying),
      /the tool has died/,
      name,
    );
    const again = await readSnapshot(cluster);
    await reshard(cluster, request, again);
    assert.deepEqual(await dumpAll(cluster), before, name);
    await assertWhole(cluster, source);
  }
});

test('a process killed in the middle of a move can be followed by another that ends it', async () => {
  const cluster = await start({ replicasPerMaster: 0 });
  const before = await dumpAll(cluster);
  const source = node(cluster, 0);
  const target = node(cluster, 1);
  const slots: SlotSet = [[0, 2999]];
  const tool = spawn(process.execPath, [join(import.meta.dirname, '../support/redis/moveSlotsProcess.ts')], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exit = once(tool, 'exit');
  const request: ProcessRequest = {
    nodes: cluster.nodes,
    from: source.id,
    to: target.id,
    slots,
    otherMasters: [node(cluster, 2).id],
    targetAddress: target,
  };
  tool.stdin.end(`${JSON.stringify(request)}\n`);
  const [, signal] = (await exit) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  const snapshot = await readSnapshot(cluster);
  assert.ok(openIn(snapshot) > 0, 'the killed process has left no slot open');
  const result = await reshard(cluster, { from: [source.id], to: target.id, slots }, snapshot);
  assert.ok(
    result.movedSlots > 0 && result.movedSlots < 2900,
    `${result.movedSlots} slots were left to move`,
  );
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster, source);
});

test('when the target dies in the middle, the error says so, and the move goes on once it is back', async () => {
  const cluster = await start({
    replicasPerMaster: 0,
    config: { appendonly: 'yes', appendfsync: 'always', 'cluster-node-timeout': '10000' },
  });
  const before = await dumpAll(cluster);
  const source = node(cluster, 0);
  const target = node(cluster, 1);
  const request: ReshardRequest = { from: [source.id], to: target.id, slots: [[0, 2999]] };
  let error: unknown;
  let migrates = 0;
  const watching = faultyDialer(cluster.dialer, (_, [verb]) => {
    if (verb === 'MIGRATE' && ++migrates === 300) cluster.kill(target);
    return undefined;
  });
  await reshard(cluster, request, await readSnapshot(cluster), watching).catch((caught: unknown) => {
    error = caught;
  });
  assert.ok(error instanceof UserError, 'the reshard did not fail with a message for the user');
  const { message } = error;
  assert.ok(message.includes(`${target.host}:${target.port}`), message);
  const [, moved = '', open = ''] = /Moved: ([\d,-]+)\. Still open: ([\d,-]+)\./.exec(message) ?? [];
  assert.ok(moved !== '' && open !== '', message);
  assert.match(message, /reshard slots [\d,-]+ to .* again/);
  await cluster.restart(target);
  const again = await readSnapshot(cluster);
  const result = await reshard(cluster, request, again);
  assert.equal(countSlots(intersectSlots([[0, 2999]], again.nodes[0]?.slots ?? [])), result.movedSlots);
  assert.deepEqual(await dumpAll(cluster), before);
  await assertWhole(cluster, source);
});

for (const end of ['source', 'target'] as const) {
  test(`when the ${end}'s replica takes over half-moved slots, the move goes on with it`, async () => {
    const cluster = await start({ replicasPerMaster: 1 });
    const before = await dumpAll(cluster);
    const dead = node(cluster, end === 'source' ? 0 : 1);
    const slots: SlotSet = [[0, 199]];
    let migrates = 0;
    const dying = dyingDialer(cluster.dialer, (_, [verb]) => verb === 'MIGRATE' && ++migrates === 60);
    const request = { from: [node(cluster, 0).id], to: node(cluster, 1).id, slots };
    await assert.rejects(reshard(cluster, request, await readSnapshot(cluster), dying), /the tool has died/);
    await sleep(500);
    cluster.kill(dead);
    const newMaster = node(cluster, end === 'source' ? 3 : 4);
    const snapshot = await waitForNewMaster(cluster, dead, newMaster);
    const ids = { source: { from: [newMaster.id] }, target: { to: newMaster.id } }[end];
    await reshard(cluster, { ...request, ...ids }, snapshot);
    assert.deepEqual(await dumpAll(cluster), before);
    await assertWhole(cluster, newMaster);
  });
}

/**
 * Waits until the replica has taken over, brings the dead node back and waits until it has given its slots up. It need
 * not be the new master's replica: one that hears last of whom has but some of its slots stays a master without any.
 */
async function waitForNewMaster(
  cluster: TestCluster,
  dead: ClusterNode,
  newMaster: ClusterNode,
): Promise<ClusterSnapshot> {
  const others = { ...cluster, nodes: cluster.nodes.filter(({ id }) => id !== dead.id) };
  await waitFor(others, newMaster, ({ role }) => role === 'master');
  await cluster.restart(dead);
  return await waitFor(cluster, dead, ({ view }) => view?.self.slots.length === 0);
}

async function waitFor(
  cluster: TestCluster,
  { id }: ClusterNode,
  isSo: (node: RedisNode) => boolean,
): Promise<ClusterSnapshot> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const snapshot = await readSnapshot(cluster);
    const found = snapshot.nodes.find((candidate) => candidate.id === id);
    if (found !== undefined && isSo(found)) return snapshot;
    await sleep(100);
  }
  throw new Error(`node ${id} did not come to it`);
}
