import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/model/errors.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import { subtractSlots, type SlotSet } from '../../src/model/slots.ts';
import { concurrentMoves } from '../../src/redis/moveSlots/concurrentMoves.ts';
import { moveSlots } from '../../src/redis/moveSlots/moveSlots.ts';
import type { MoveResult } from '../../src/redis/moveSlots/request.ts';
import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { faultyDialer, strikingDialer } from '../support/redis/faultyDialer.ts';
import { dumpAll, fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';

let cluster: TestCluster;
let source: ClusterNode;
let target: ClusterNode;
let other: ClusterNode;
before(async () => {
  cluster = await startRedisCluster({ replicasPerMaster: 0 });
  const [first, second, third] = cluster.nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three masters');
  [source, target, other] = [first, second, third];
  await fill(cluster, writes());
});
after(() => cluster.stop());

function* writes(): Generator<Write> {
  for (let number = 0; number < 20_000; number++) yield ['SET', Buffer.from(`key:${number}`), 'value'];
}

async function move(dialer: ClusterDialer, slots: SlotSet): Promise<MoveResult> {
  return await moveSlots({
    dialer,
    from: source.id,
    to: target.id,
    slots,
    otherMasters: [other.id],
    targetAddress: target,
    // All slots of a test at once: what holds one of them back holds back all.
    blockSlots: 64,
    signal: new AbortController().signal,
    moves: concurrentMoves(),
    nameOf: (id) => (id === source.id ? 'the-source' : 'the-target'),
  });
}

/** Runs a move that must be refused, and sees that no key is gone and no slot has another owner. */
async function assertRefused(dialer: ClusterDialer, slots: SlotSet, message: RegExp): Promise<void> {
  const keys = await dumpAll(cluster);
  await assert.rejects(move(dialer, slots), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    assert.match(error.message, /the-source.*the-target.*No slot was moved.*Still open: /s);
    return true;
  });
  // Long enough for the source to hear of a new owner and to drop its keys, if there were one.
  await sleep(700);
  assert.deepEqual(await dumpAll(cluster), keys);
  const { nodes } = await readSnapshot(cluster);
  assert.deepEqual(subtractSlots(slots, nodes[0]?.slots ?? []), []);
  // The same move without the fault goes on and finishes.
  await move(cluster.dialer, slots);
  assert.deepEqual(await dumpAll(cluster), keys);
}

test('a MIGRATE that falsely says NOKEY does not lose the slot its keys', async () => {
  const lying = faultyDialer(cluster.dialer, (_, [verb]) => (verb === 'MIGRATE' ? 'NOKEY' : undefined));
  await assertRefused(lying, [[0, 63]], /lists keys .* but reports that they do not exist/);
});

test('keys that the source does not list are counted before the slot is handed over', async () => {
  const lying = faultyDialer(cluster.dialer, (_, [, verb]) => (verb === 'GETKEYSINSLOT' ? [] : undefined));
  await assertRefused(lying, [[100, 163]], /still counts keys in slots/);
});

test('a slot that somebody closes during the move is not handed over', async () => {
  // The source says OK to opening slot 250 and does not open it, as if somebody had closed it at once.
  const meddling = faultyDialer(cluster.dialer, (id, [, verb, slot]) =>
    verb === 'SETSLOT' && slot === 250 && id === source.id ? 'OK' : undefined,
  );
  await assertRefused(meddling, [[200, 263]], /Slots 250 were closed on the source by someone else/);
});

test('a key that MIGRATE left on both servers is taken from the source', async () => {
  const name = Array.from({ length: 10_000 }, (_, number) => `both:${number}`).find((key) => {
    const slot = keySlot(key);
    return slot >= 300 && slot < 5000;
  });
  assert.ok(name !== undefined);
  const slot = keySlot(name);
  await fill(cluster, [['SET', Buffer.from(name), 'true value']]);
  const connection = await cluster.dialer.dial(target.id);
  await connection.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id);
  await connection.pipeline([['ASKING'], ['SET', name, 'left over']]);
  await move(cluster.dialer, [[slot, slot]]);
  assert.equal(await connection.call('GET', name), 'true value');
  connection.close();
});

test('a target that has not heard of the config epoch that its source has taken meanwhile waits for it', async () => {
  const keys = await dumpAll(cluster);
  const connection = await cluster.dialer.dial(source.id);
  const bump = async (): Promise<void> => {
    assert.match(String(await connection.call('CLUSTER', 'BUMPEPOCH')), /^BUMPED/);
  };
  for (let round = 0; round < 4; round++) {
    const start = 1000 + 16 * round;
    if (round % 2 === 0) await bump();
    let counts = 0;
    // Seen so by the last word of the source before its slots are handed over.
    const late = strikingDialer(cluster.dialer, async (_, [, verb]) => {
      if (verb === 'COUNTKEYSINSLOT' && round % 2 === 1 && counts++ === 0) await bump();
    });
    await move(late, [[start, start + 15]]);
  }
  connection.close();
  await sleep(700);
  assert.deepEqual(await dumpAll(cluster), keys);
});
