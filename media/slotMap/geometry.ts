import { slotCount } from '../../src/model/slots.ts';

/** How the slots lie on the canvas. All lengths are whole device pixels, so that every edge is crisp. */
export interface Geometry {
  readonly columns: number;
  readonly rows: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly width: number;
  readonly height: number;
}

/** Powers of two, so that every row starts at a round number. */
const columnChoices = [128, 64, 256] as const;
/** A cell may be this much wider than high, and this much higher than wide, to make use of the room. */
const widest = 1.75;
const highest = 1.25;
const largestCell = 24;

/** The shape that makes the cells largest in a box of device pixels; never smaller than one pixel a slot. */
export function fitSlots(boxWidth: number, boxHeight: number): Geometry {
  const shapes = columnChoices.map((columns) => shape(columns, boxWidth, boxHeight));
  const [first, ...others] = shapes as [Geometry, ...Geometry[]];
  return others.reduce((best, other) => (sizeOf(other) > sizeOf(best) ? other : best), first);
}

function shape(columns: number, boxWidth: number, boxHeight: number): Geometry {
  const rows = slotCount / columns;
  const wide = clamp(Math.floor(boxWidth / columns), 1, largestCell);
  const high = clamp(Math.floor(boxHeight / rows), 1, largestCell);
  const cellWidth = Math.max(1, Math.min(wide, Math.round(high * widest)));
  const cellHeight = Math.max(1, Math.min(high, Math.round(wide * highest)));
  return {
    columns,
    rows,
    cellWidth,
    cellHeight,
    width: columns * cellWidth,
    height: rows * cellHeight,
  };
}

function sizeOf({ cellWidth, cellHeight }: Geometry): number {
  return Math.min(cellWidth, cellHeight) * 100 + cellWidth + cellHeight;
}

/** The slot at a point in device pixels; undefined beside the map. */
export function slotAt(geometry: Geometry, x: number, y: number): number | undefined {
  const column = Math.floor(x / geometry.cellWidth);
  const row = Math.floor(y / geometry.cellHeight);
  if (column < 0 || column >= geometry.columns || row < 0 || row >= geometry.rows) return undefined;
  return row * geometry.columns + column;
}

/** The upper left corner of a slot's cell, in device pixels. */
export function cornerOf(geometry: Geometry, slot: number): readonly [x: number, y: number] {
  return [
    (slot % geometry.columns) * geometry.cellWidth,
    Math.floor(slot / geometry.columns) * geometry.cellHeight,
  ];
}

/** Calls back for each run of slots in one row of which `same` says that they look alike. */
export function eachRun(
  geometry: Geometry,
  same: (slot: number, next: number) => boolean,
  draw: (start: number, length: number) => void,
): void {
  for (let row = 0; row < geometry.rows; row++) {
    const rowEnd = (row + 1) * geometry.columns;
    let start = row * geometry.columns;
    for (let slot = start + 1; slot <= rowEnd; slot++) {
      if (slot < rowEnd && same(start, slot)) continue;
      draw(start, slot - start);
      start = slot;
    }
  }
}

/** Every how many rows a label stands, so that labels of this height keep apart. */
export function labelStep(geometry: Geometry, labelHeight: number): number {
  let step = 1;
  while (step * geometry.cellHeight < labelHeight) step *= 2;
  return step;
}

/** Where a key of the keyboard takes the cursor; undefined for keys that do not move it. */
export function moveCursor(
  geometry: Geometry,
  slot: number,
  key: string,
  control: boolean,
): number | undefined {
  const rowStart = slot - (slot % geometry.columns);
  const page = 1024;
  const targets: Readonly<Partial<Record<string, number>>> = {
    ArrowLeft: slot - 1,
    ArrowRight: slot + 1,
    ArrowUp: slot - geometry.columns,
    ArrowDown: slot + geometry.columns,
    PageUp: Math.max(slot - page, 0),
    PageDown: Math.min(slot + page, slotCount - 1),
    Home: control ? 0 : rowStart,
    End: control ? slotCount - 1 : rowStart + geometry.columns - 1,
  };
  const target = targets[key];
  if (target === undefined) return undefined;
  return target < 0 || target >= slotCount ? slot : target;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
