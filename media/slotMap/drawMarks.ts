import { cornerOf, type Geometry } from './geometry.ts';
import type { Theme } from './theme.ts';

/** How long a slot that changed its colour stands out, and how long the cursor's ring takes, in milliseconds. */
export const flashMs = 1400;
export const ringMs = 700;
/** Where the ring starts, in CSS pixels. */
const ringRadius = 40;

/** Everything that lies over the slots and may move. Times are those of `performance.now()`. */
export interface Marks {
  readonly cursor: number;
  readonly focused: boolean;
  readonly hovered: number | undefined;
  readonly moving: Iterable<number>;
  /** Changed slots, each with the time of its change. */
  readonly flashes: ReadonlyMap<number, number>;
  /** When the cursor jumped, so that the eye finds it. */
  readonly jumpedAt: number;
}

/** Draws the marks as they are at a time. With `still`, for users who want less motion, nothing moves or fades. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  theme: Theme,
  ratio: number,
  marks: Marks,
  now: number,
  still: boolean,
): void {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.save();
  // The marks' canvas is larger than the slots' by a margin, so that marks at the edge are whole.
  context.translate(marginOf(ratio), marginOf(ratio));
  const cell = (slot: number): Cell => ({
    corner: cornerOf(geometry, slot),
    width: geometry.cellWidth,
    height: geometry.cellHeight,
  });
  context.fillStyle = theme.foreground;
  for (const [slot, since] of marks.flashes) {
    const age = (now - since) / flashMs;
    if (age >= 1) continue;
    context.globalAlpha = still ? 0.5 : (1 - age) ** 1.6;
    const { corner, width, height } = cell(slot);
    context.fillRect(corner[0], corner[1], width, height);
  }
  const pulse = still ? 1 : 0.75 + 0.25 * Math.cos((now / 1200) * 2 * Math.PI);
  for (const slot of marks.moving) {
    outline(context, cell(slot), theme.background, 3 * ratio, 1);
    outline(context, cell(slot), theme.foreground, 1.5 * ratio, pulse);
  }
  if (marks.hovered !== undefined) outline(context, cell(marks.hovered), theme.foreground, ratio, 1);
  outline(context, cell(marks.cursor), theme.background, 4 * ratio, 1);
  outline(context, cell(marks.cursor), marks.focused ? theme.focus : theme.foreground, 2 * ratio, 1);
  const age = (now - marks.jumpedAt) / ringMs;
  if (age < 1) drawRing(context, cell(marks.cursor), theme, ratio, still ? 0.4 : age);
  context.restore();
}

/** How far the marks' canvas reaches beyond the slots on each side, in device pixels. */
export function marginOf(ratio: number): number {
  return Math.round((ringRadius + 2) * ratio);
}

interface Cell {
  readonly corner: readonly [x: number, y: number];
  readonly width: number;
  readonly height: number;
}

/** A line around a cell, outside of it. */
function outline(
  context: CanvasRenderingContext2D,
  { corner: [x, y], width, height }: Cell,
  colour: string,
  line: number,
  alpha: number,
): void {
  const grow = line / 2;
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = line;
  context.strokeRect(x - grow, y - grow, width + 2 * grow - 1, height + 2 * grow - 1);
}

/** A ring that closes in on the cursor. */
function drawRing(
  context: CanvasRenderingContext2D,
  { corner: [x, y], width, height }: Cell,
  theme: Theme,
  ratio: number,
  age: number,
): void {
  context.globalAlpha = 0.9;
  context.strokeStyle = theme.focus;
  context.lineWidth = 2 * ratio;
  context.beginPath();
  context.arc(x + width / 2, y + height / 2, (6 + (ringRadius - 6) * (1 - age) ** 2) * ratio, 0, 2 * Math.PI);
  context.stroke();
}
