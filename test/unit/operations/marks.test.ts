import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSlots } from '../../../src/checks/openSlots.ts';
import type { OpenSlot } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import { answeringMasters } from '../../../src/operations/repair/slotCase.ts';
import { stepKinds } from '../../../src/operations/steps/index.ts';
import { sketchOf, type Sketch } from './sketch.ts';

const open = (nodeId: string, ...slots: readonly number[]): readonly OpenSlot[] =>
  slots.map((slot) => ({ slot, nodeId }));

test('a move is refused at its start where the marks of other masters would set off another one', async () => {
  const step = { kind: 'moveSlots', from: 'a', to: 'c', slots: [[7, 7]], text: '' } as const;
  const run = stepKinds.moveSlots;
  const ports = {} as Parameters<(typeof run)['check']>[2];
  const check = async (changes: Readonly<Record<string, Sketch>>): Promise<void> =>
    run.check(step, sketchOf(changes), ports);
  const b = (
    nodeId: string,
    slot: number,
    product: 'redis' | 'valkey',
  ): Readonly<Record<string, Sketch>> => ({
    b: { slots: [[5461, 10_922]], importing: open(nodeId, slot), view: { product } },
  });
  await check({});
  await assert.rejects(check(b('a', 7, 'redis')), /6098 imports slot 7 too.* Heal the cluster first/);
  // Only Valkey takes a slot by itself when the one that the mark names gives another away.
  await check(b('c', 8, 'redis'));
  await check(b('a', 8, 'valkey'));
  await assert.rejects(
    check(b('c', 8, 'valkey')),
    /6098 imports slot 8 from \S+6099, which does not own it.*6097 drops/,
  );
  const target = {
    c: { slots: [[10_923, 16_383]], importing: open('a', 6000), view: { product: 'valkey' } },
  } as const;
  await assert.rejects(
    check(target),
    /6099 imports slot 6000 from \S+6097, which does not own it.*6098 drops/,
  );
});

test('on Valkey a mark that names another master than the owner is an error, and Heal corrects it first, also in a slot that is left to a person', () => {
  const on = (product: 'redis' | 'valkey'): ClusterSnapshot =>
    sketchOf({ b: { slots: [[5461, 10_922]], importing: open('c', 3, 4), view: { product } } });
  const heal = (snapshot: ClusterSnapshot): readonly string[] => {
    const nodes = answeringMasters(snapshot);
    const keys = new Map(nodes.map(({ id }) => [id, new Map<number, number>()]));
    const disputes = new Map([[3, { key: '"k"', nodes: nodes.slice(0, 2), why: 'differ' as const }]]);
    return planHeal(snapshot, { keys, disputes, announced: new Map() }).steps.map(({ text }) => text);
  };
  const close =
    'Move the keys that 127.0.0.1:6098 holds in 1 slot (4) to 127.0.0.1:6097, and close the slots on 127.0.0.1:6098 (0 keys; 127.0.0.1:6097 owns them)';
  assert.deepEqual(heal(on('valkey')), [
    'Have 127.0.0.1:6098 import 2 slots (3-4) from 127.0.0.1:6097, which owns them',
    close,
  ]);
  assert.deepEqual(heal(on('redis')), [close]);
  assert.match(
    openSlots(on('valkey'))[0]?.message ?? '',
    /6098 has open hash slots: 3-4\. It imports 3-4 from a master/,
  );
  assert.deepEqual(
    ['valkey', 'redis'].map((product) => openSlots(on(product as 'redis'))[0]?.severity),
    ['error', 'warning'],
  );
});
