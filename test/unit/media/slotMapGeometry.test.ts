import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cornerOf,
  eachRun,
  fitSlots,
  labelStep,
  moveCursor,
  slotAt,
} from '../../../media/slotMap/geometry.ts';

test('the map fits into its box with whole pixels and every slot has a place', () => {
  for (const [width, height] of [
    [900, 600],
    [300, 400],
    [2600, 500],
    [500, 2600],
    [1921, 1079],
  ] as const) {
    const geometry = fitSlots(width, height);
    assert.equal(geometry.columns * geometry.rows, 16_384);
    assert.ok(geometry.width <= width && geometry.height <= height, `${width}×${height}`);
    for (const slot of [0, 1, 127, 128, 8191, 16_383]) {
      assert.equal(slotAt(geometry, ...cornerOf(geometry, slot)), slot);
    }
  }
});

test('a box too small for one pixel a slot still gets a map', () => {
  const { cellWidth, cellHeight } = fitSlots(10, 0);
  assert.deepEqual([cellWidth, cellHeight], [1, 1]);
});

test('points beside the map are no slot', () => {
  const geometry = fitSlots(900, 600);
  assert.equal(slotAt(geometry, -1, 0), undefined);
  assert.equal(slotAt(geometry, geometry.width, 0), undefined);
  assert.equal(slotAt(geometry, 0, geometry.height), undefined);
});

test('runs end where slots differ and at the end of a row', () => {
  const geometry = fitSlots(900, 600);
  const runs: [number, number][] = [];
  eachRun(
    geometry,
    (slot, next) => slot < 5 === next < 5,
    (start, length) => runs.push([start, length]),
  );
  const { columns } = geometry;
  assert.deepEqual(runs.slice(0, 3), [
    [0, 5],
    [5, columns - 5],
    [columns, columns],
  ]);
  assert.equal(
    runs.reduce((sum, [, length]) => sum + length, 0),
    16_384,
  );
});

test('labels stand as far apart as they are high', () => {
  assert.equal(labelStep({ ...fitSlots(900, 600), cellHeight: 4 }, 18), 8);
  assert.equal(labelStep({ ...fitSlots(900, 600), cellHeight: 20 }, 18), 1);
});

test('keys move the cursor and never off the map', () => {
  const geometry = { ...fitSlots(900, 600), columns: 128, rows: 128 };
  const move = (slot: number, key: string, control = false): number | undefined =>
    moveCursor(geometry, slot, key, control);
  assert.deepEqual(
    [move(130, 'ArrowRight'), move(130, 'ArrowUp'), move(130, 'Home'), move(130, 'End')],
    [131, 2, 128, 255],
  );
  assert.deepEqual([move(130, 'PageDown'), move(130, 'PageUp')], [1154, 0]);
  assert.deepEqual([move(130, 'Home', true), move(130, 'End', true)], [0, 16_383]);
  assert.deepEqual([move(0, 'ArrowLeft'), move(5, 'ArrowUp'), move(16_383, 'ArrowDown')], [0, 5, 16_383]);
  assert.equal(move(5, 'a'), undefined);
});
