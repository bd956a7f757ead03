import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { keySlot } from '../../../src/model/keySlot.ts';
import { hasSlot } from '../../../src/model/slots.ts';
import type { Argument, NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import type { Random } from '../../simulation/random.ts';
import type { ClusterNode } from '../startRedisCluster.ts';

/** A master with a connection of the test's own. */
export interface Server extends ClusterNode {
  readonly line: NodeConnection;
}

/** Copies of a key by the number of the server. */
export type Copies = ReadonlyMap<number, string>;

export interface SlotState {
  readonly slot: number;
  readonly keys: ReadonlyMap<string, Copies>;
}

const tags = new Map<number, string>();
for (let number = 0; tags.size < 2000; number++) tags.set(keySlot(`t${number}`), `t${number}`);

/**
 * Makes a state: some slots with keys on any masters, one value or several, and marks of either kind on any of them.
 * @param hidesStrays whether servers hide keys in slots that they neither own nor import (Redis 8.4): then no such keys are made
 */
export async function makeState(
  masters: readonly Server[],
  random: Random,
  hidesStrays: boolean,
  settled: () => Promise<void>,
): Promise<readonly SlotState[]> {
  const chosen = new Set<number>();
  const number = 1 + random.below(8);
  while (chosen.size < number) chosen.add(random.pick([...tags.keys()]));
  // First of all: Valkey hands slots on by itself when the epoch of a node changes that a mark names.
  for (const slot of chosen) if (random.below(6) === 0) await handOverHalf(masters, slot, random);
  await settled();
  const states: SlotState[] = [];
  for (const slot of chosen) {
    const owner = await ownerOf(masters, slot);
    const keys = await scatterKeys(masters, owner, slot, random);
    const holders = hidesStrays ? new Set([...keys.values()].flatMap((copies) => [...copies.keys()])) : [];
    await mark(masters, owner, slot, random, new Set(holders));
    states.push({ slot, keys });
  }
  return states;
}

async function ownerOf(masters: readonly Server[], slot: number): Promise<Server> {
  const views = await Promise.all(masters.map(({ line }) => readNodeView(line)));
  const owner = masters.find((_, index) => hasSlot(views[index]?.self.slots ?? [], slot));
  assert.ok(owner, `nobody owns slot ${slot}`);
  return owner;
}

/** Another master takes the slot while its owner calls it migrating to a third: Redis 7.0 keeps the mark of the old one. */
async function handOverHalf(masters: readonly Server[], slot: number, random: Random): Promise<void> {
  const owner = await ownerOf(masters, slot);
  const others = masters.filter((node) => node !== owner);
  const [taker, named] = [random.pick(others), random.pick(others)];
  await owner.line.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', named.id);
  const isTold = async (node: Server): Promise<boolean> => {
    const { self, others: lines } = await readNodeView(node.line);
    return [self, ...lines].some((line) => line.id === taker.id && hasSlot(line.slots, slot));
  };
  // A taker that has not heard of the highest epoch yet loses its claim again.
  while ((await Promise.all(masters.map(isTold))).includes(false)) {
    await taker.line.pipeline([
      ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id],
      ['CLUSTER', 'SETSLOT', slot, 'NODE', taker.id],
      ['CLUSTER', 'BUMPEPOCH'],
    ]);
    await sleep(20);
  }
}

/** Most keys are on one server, some on several, with one value or with different ones. */
async function scatterKeys(
  masters: readonly Server[],
  owner: Server,
  slot: number,
  random: Random,
): Promise<ReadonlyMap<string, Copies>> {
  const keys = chooseCopies(masters, owner, slot, random);
  for (const node of masters) {
    const own = [...keys].filter(([, copies]) => copies.has(masters.indexOf(node)));
    if (own.length === 0) continue;
    if (node !== owner) await node.line.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id);
    for (const [name, copies] of own) {
      const set: Argument[] = ['SET', Buffer.from(name, 'latin1'), copies.get(masters.indexOf(node)) ?? ''];
      const replies = await node.line.pipeline([['ASKING'], set]);
      assert.equal(replies[1], 'OK');
    }
    if (node !== owner) await node.line.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
  }
  return keys;
}

function chooseCopies(
  masters: readonly Server[],
  owner: Server,
  slot: number,
  random: Random,
): ReadonlyMap<string, Copies> {
  const keys = new Map<string, Copies>();
  const isUneven = random.below(4) === 0;
  const isDoubling = random.below(2) === 0;
  const strayed = masters.filter((node) => node === owner || random.below(2) === 0);
  for (let number = random.below(7); number > 0; number--) {
    const isDouble = isDoubling && random.below(3) === 0;
    const holders = isDouble ? strayed.filter(() => random.below(2) === 0) : [random.pick(strayed)];
    const copies = new Map<number, string>();
    for (const holder of holders) {
      const differs = isUneven && random.below(3) === 0;
      copies.set(masters.indexOf(holder), `value ${number}${differs ? ` of ${holder.id}` : ''}`);
    }
    // One in ten has bytes that are no text.
    const name = `{${tags.get(slot) ?? ''}}${random.below(10) === 0 ? '\u00ff\u0000' : ''}${number}`;
    if (copies.size > 0) keys.set(name, copies);
  }
  return keys;
}

async function mark(
  masters: readonly Server[],
  owner: Server,
  slot: number,
  random: Random,
  always: ReadonlySet<number>,
): Promise<void> {
  for (const node of masters) {
    const isSpared = random.below(2) === 0 && !always.has(masters.indexOf(node));
    if (node === owner || isSpared) continue;
    const from = random.below(5) < 3 ? owner : random.pick(masters.filter((one) => one !== node));
    await node.line.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  }
  if (random.below(2) === 0) return;
  const to = random.pick(masters.filter((node) => node !== owner));
  await owner.line.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
}
