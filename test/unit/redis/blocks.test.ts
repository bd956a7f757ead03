import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSlots } from '../../../src/model/slots.ts';
import { blocksOf } from '../../../src/redis/moveSlots/blocks.ts';
import { line, view } from '../sample.ts';

const source = view('m0', { keys: 5461 });
const blocks = (
  target: ReturnType<typeof view>,
  changes: Parameters<typeof view>[1] = {},
): readonly string[] =>
  blocksOf({ slots: [[10, 19]], source: { ...source, ...changes }, target }, 4).map(formatSlots);

test('slots are moved in blocks, and a master without slots gets a single one first', () => {
  assert.deepEqual(blocks(view('m1')), ['10-13', '14-17', '18-19']);
  const newcomer = view('m1', { self: line('m1', { slots: [] }) });
  assert.deepEqual(blocks(newcomer), ['10', '11-14', '15-18', '19']);
  assert.deepEqual(blocksOf({ slots: [[3, 3]], source, target: newcomer }, 4).map(formatSlots), ['3']);
});

test('where slots hold many keys or bytes, blocks are small', () => {
  assert.deepEqual(blocks(view('m1'), { keys: 5461 * 2048 }), ['10-11', '12-13', '14-15', '16-17', '18-19']);
  assert.equal(blocks(view('m1'), { usedMemoryBytes: 5461 * 64 * 1024 * 1024 }).length, 10);
});
