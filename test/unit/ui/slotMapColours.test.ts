import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlotSet } from '../../../src/model/slots.ts';
import type { RedisNode, Shard } from '../../../src/model/snapshot.ts';
import { colourShards } from '../../../src/ui/panels/slotMap/shardColours.ts';

function shard(id: string, slots: SlotSet, replicas: readonly string[] = []): Shard {
  return { id, slots, replicas: replicas.map((replica) => ({ id: replica }) as RedisNode) };
}

test('colours follow the order of first sight', () => {
  const colours = colourShards([shard('z', [[0, 1]]), shard('a', [[2, 3]])]);
  assert.deepEqual([colours.get('z'), colours.get('a')], [0, 1]);
});

test('a shard keeps its colour while its slots move past the others', () => {
  const before = colourShards([shard('a', [[0, 99]]), shard('b', [[100, 199]])]);
  const after = colourShards([shard('b', [[0, 199]]), shard('a', [])], before);
  assert.deepEqual([after.get('a'), after.get('b')], [0, 1]);
});

test('a promoted replica inherits the colour, and the failed master gets another', () => {
  const before = colourShards([shard('a', [[0, 99]], ['r']), shard('b', [[100, 199]])]);
  const after = colourShards([shard('r', [[0, 99]]), shard('b', [[100, 199]]), shard('a', [])], before);
  assert.deepEqual([after.get('r'), after.get('b'), after.get('a')], [0, 1, 2]);
});

test('a new shard takes a free colour, and one that was away finds its own again', () => {
  const first = colourShards([shard('a', [[0, 1]]), shard('b', [[2, 3]]), shard('c', [[4, 5]])]);
  const without = colourShards([shard('a', [[0, 1]]), shard('c', [[4, 5]])], first);
  const back = colourShards([shard('a', [[0, 1]]), shard('b', [[2, 3]]), shard('c', [[4, 5]])], without);
  assert.deepEqual([back.get('a'), back.get('b'), back.get('c')], [0, 1, 2]);
});
