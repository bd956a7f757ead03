import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../src/model/errors.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import type { OpenSlot } from '../../src/model/nodeView.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import { hasSlot, intersectSlots, slotsFrom, type SlotSet } from '../../src/model/slots.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import type { ClusterDialer, NodeConnection } from '../../src/redis/nodeConnection.ts';
import {
  lastWord,
  replayCases,
  type ReplayCase,
  type ReplayStates,
  type SlotState,
} from '../simulation/replayCases.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { hurried, run } from '../support/redis/faultTools.ts';
import { dyingDialer } from '../support/redis/faultyDialer.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';

// The same interrupted moves on real servers and on simulated ones: where these end up elsewhere, they are wrong.

let cluster: TestCluster;
let simulated: readonly ReplayStates[];

before(async () => {
  const worker = new Worker(join(import.meta.dirname, '../simulation/replayWorker.ts'));
  const { promise, resolve, reject } = Promise.withResolvers<readonly ReplayStates[]>();
  worker.once('message', resolve);
  worker.once('error', reject);
  cluster = await startRedisCluster({ config: { 'repl-diskless-sync-delay': '0' } });
  simulated = await promise.finally(() => worker.terminate());
});
after(() => cluster.stop());

const letters = ['S', 'T', 'B'];

/** The masters of the shards that were the first, second and third at the start. */
function mastersIn(snapshot: ClusterSnapshot): readonly (RedisNode | undefined)[] {
  return letters.map((_, home) =>
    snapshot.nodes.find(
      ({ id, role }) => role === 'master' && cluster.nodes.findIndex((n) => n.id === id) % 3 === home,
    ),
  );
}

function letterOf(snapshot: ClusterSnapshot, id: string): string {
  const home = cluster.nodes.findIndex((node) => node.id === id) % 3;
  const letter = letters[home] ?? '?';
  return mastersIn(snapshot)[home]?.id === id ? letter : letter.toLowerCase();
}

function keysIn(slot: number, count: number): readonly string[] {
  const names: string[] = [];
  for (let number = 0; names.length < count; number++) {
    if (keySlot(`replay:${number}`) === slot) names.push(`replay:${number}`);
  }
  return names;
}

async function withConnection<T>(
  { id }: { readonly id: string },
  use: (connection: NodeConnection) => Promise<T>,
): Promise<T> {
  const connection = await cluster.dialer.dial(id);
  return await use(connection).finally(() => {
    connection.close();
  });
}

async function statesOf(slots: readonly number[], keys: ReplayCase['keys']): Promise<readonly SlotState[]> {
  const snapshot = await readAnyway(cluster);
  const masters = mastersIn(snapshot).filter((node) => node !== undefined);
  return await Promise.all(
    slots.map(async (slot, index) => ({
      owners: masters.filter((node) => hasSlot(node.slots, slot)).map(({ id }) => letterOf(snapshot, id)),
      open: masters.flatMap((node) => openAt(snapshot, node, slot)),
      keys: await Promise.all(
        keysIn(slot, keys[index] ?? 0).map((key) => holdersOf(snapshot, masters, slot, key)),
      ),
    })),
  );
}

function openAt(snapshot: ClusterSnapshot, { id, view }: RedisNode, slot: number): readonly string[] {
  const own = letterOf(snapshot, id);
  const text = (open: readonly OpenSlot[] = [], arrow: string): readonly string[] =>
    open
      .filter((one) => one.slot === slot)
      .map(({ nodeId }) => `${own}${arrow}${letterOf(snapshot, nodeId)}`);
  return [...text(view?.self.migrating, '→'), ...text(view?.self.importing, '←')];
}

async function holdersOf(
  snapshot: ClusterSnapshot,
  masters: readonly RedisNode[],
  slot: number,
  key: string,
): Promise<string> {
  const held = await Promise.all(
    masters.map((node) =>
      withConnection(node, async (connection) => {
        const listed = await connection.call('CLUSTER', 'GETKEYSINSLOT', slot, 100);
        if (!Array.isArray(listed) || !listed.includes(key)) return [];
        // DUMP is refused for a slot that is neither owned nor open; its value cannot be asked then.
        const [, value] = await connection.pipeline([['ASKING'], ['GET', key]]);
        return [`${letterOf(snapshot, node.id)}${typeof value === 'string' ? value : ''}`];
      }),
    ),
  );
  return held.flat().join(' ');
}

/** Reads until two readings in a row are equal: gossip has settled then. */
async function settledStates(
  slots: readonly number[],
  keys: ReplayCase['keys'],
): Promise<readonly SlotState[]> {
  let last = '';
  for (let attempt = 0; attempt < 60; attempt++) {
    const states = await statesOf(slots, keys);
    const text = JSON.stringify(states);
    if (text === last) return states;
    last = text;
    await sleep(700);
  }
  throw new Error('the servers do not settle');
}

async function prepare(
  [first = 0, second = 0]: readonly number[],
  { keys, leftover }: ReplayCase,
): Promise<void> {
  const [source, target] = mastersIn(await readAnyway(cluster));
  assert.ok(source && target);
  await withConnection(source, async (connection) => {
    const names = [...keysIn(first, keys[0]), ...keysIn(second, keys[1])];
    const replies = await connection.pipeline(names.map((name) => ['SET', name, '1']));
    assert.ok(replies.every((reply) => reply === 'OK'));
  });
  if (leftover !== true) return;
  await withConnection(target, async (connection) => {
    await connection.call('CLUSTER', 'SETSLOT', first, 'IMPORTING', source.id);
    await connection.pipeline([['ASKING'], ['SET', keysIn(first, 1)[0] ?? '', '0']]);
  });
}

/** Moves the slots to the second shard's master, from whoever owns them or has them open. */
async function move(slots: SlotSet, dialer: ClusterDialer): Promise<void> {
  const snapshot = await readAnyway(cluster);
  const [source, target] = mastersIn(snapshot);
  assert.ok(target);
  const from = mastersIn(snapshot).filter((node) => {
    if (node === undefined || node === target) return false;
    const open = slotsFrom((node.view?.self.migrating ?? []).map(({ slot }) => slot));
    return node === source || [node.slots, open].some((some) => intersectSlots(some, slots).length > 0);
  });
  const ids = from.flatMap((node) => (node === undefined ? [] : [node.id]));
  const plan = planReshard(snapshot, { from: ids, to: target.id, slots });
  await run(cluster, hurried(plan), dialer);
}

async function failOver(which: 'source' | 'target'): Promise<void> {
  const dead = mastersIn(await readAnyway(cluster))[which === 'source' ? 0 : 1];
  const server = cluster.nodes.find(({ id }) => id === dead?.id);
  assert.ok(server);
  // What the tool did has been replicated by then; what is lost otherwise is counted elsewhere.
  await sleep(300);
  cluster.kill(server);
  await until(({ nodes }) =>
    nodes.some(({ id, role, view }) => isCandidate(server, id) && role === 'master' && view !== undefined),
  );
  await cluster.restart(server);
  await until(({ nodes }) =>
    nodes.some(
      ({ id, role, view }) => id === server.id && role === 'replica' && view?.replication.linkUp === true,
    ),
  );
}

function isCandidate(server: ClusterNode, id: string): boolean {
  const numbers = [server.id, id].map((one) => cluster.nodes.findIndex((node) => node.id === one));
  return (
    id !== server.id &&
    numbers.every((number) => number >= 0) &&
    (numbers[0] ?? 0) % 3 === (numbers[1] ?? 0) % 3
  );
}

async function until(isSo: (snapshot: ClusterSnapshot) => boolean): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (isSo(await readAnyway(cluster))) return;
    await sleep(100);
  }
  throw new Error('the failover did not come within a minute');
}

async function replayOnServers(one: ReplayCase, slots: readonly number[]): Promise<ReplayStates> {
  await prepare(slots, one);
  const wanted = slotsFrom(slots);
  await move(wanted, dyingDialer(cluster.dialer, lastWord(one))).catch((error: unknown) => {
    if (one.dieBefore === undefined) throw error;
  });
  if (one.kill !== undefined) await failOver(one.kill);
  const interrupted = await settledStates(slots, one.keys);
  await move(wanted, cluster.dialer).catch((error: unknown) => {
    if (!(error instanceof UserError) || !error.message.includes('already')) throw error;
  });
  return { interrupted, ended: await settledStates(slots, one.keys) };
}

describe('real servers and simulated ones', { timeout: 900_000 }, () => {
  for (const [index, one] of replayCases.entries()) {
    test(`end up alike: ${one.name}`, async () => {
      const real = await replayOnServers(one, [2 * index, 2 * index + 1]);
      assert.deepEqual(real, simulated[index]);
    });
  }
});
