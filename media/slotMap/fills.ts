import { fillOf, type Texture } from './palette.ts';
import type { Theme } from './theme.ts';

export type CanvasFill = string | CanvasPattern;

/** The canvas' fills of one theme at one resolution; each is made once. */
export interface Fills {
  shard(colour: number): CanvasFill;
  readonly uncovered: CanvasFill;
  /** As uncovered, in a cluster where no slot has been given out yet, which is no failure. */
  readonly unassigned: CanvasFill;
  /** Drawn over a shard's fill: its master has failed. */
  readonly failed: CanvasFill;
}

export function makeFills(context: CanvasRenderingContext2D, theme: Theme, ratio: number): Fills {
  const shards = new Map<number, CanvasFill>();
  const period = Math.max(6, Math.round(6 * ratio));
  const tile = (size: number, draw: (tile: CanvasRenderingContext2D) => void): CanvasFill => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = size;
    const target = canvas.getContext('2d');
    if (target === null) return 'transparent';
    draw(target);
    return context.createPattern(canvas, 'repeat') ?? 'transparent';
  };
  const hatched = (ink: string): CanvasFill =>
    tile(period, (target) => {
      target.fillStyle = theme.background;
      target.fillRect(0, 0, period, period);
      target.globalAlpha = 0.22;
      target.fillStyle = ink;
      target.fillRect(0, 0, period, period);
      target.globalAlpha = 1;
      drawTexture(target, 'rising', ink, period, Math.max(1, Math.round(ratio * 1.5)));
    });
  const makeShard = (colour: number): CanvasFill => {
    const fill = fillOf(colour, theme.kind);
    if (fill.texture === 'plain') return fill.colour;
    return tile(period, (target) => {
      target.fillStyle = fill.colour;
      target.fillRect(0, 0, period, period);
      drawTexture(target, fill.texture, fill.ink, period, Math.max(1, Math.round(ratio * 1.25)));
    });
  };
  return {
    shard(colour) {
      const known = shards.get(colour) ?? makeShard(colour);
      shards.set(colour, known);
      return known;
    },
    uncovered: hatched(theme.error),
    unassigned: hatched(theme.quiet),
    failed: tile(period, (target) => {
      target.globalAlpha = 0.6;
      target.fillStyle = theme.background;
      target.fillRect(0, 0, period, period);
      target.globalAlpha = 1;
      drawTexture(target, 'falling', theme.error, period, Math.max(1, Math.round(ratio * 1.5)));
    }),
  };
}

type Rectangle = readonly [x: number, y: number, width: number, height: number];

/** Draws a texture into a square tile so that it continues over the tile's edges. */
function drawTexture(
  target: CanvasRenderingContext2D,
  texture: Texture,
  ink: string,
  size: number,
  line: number,
): void {
  target.strokeStyle = target.fillStyle = ink;
  if (texture === 'rising' || texture === 'falling') drawSlope(target, texture, size, line);
  const half = size / 2;
  const across: Rectangle = [0, 0, size, line];
  const down: Rectangle = [0, 0, line, size];
  const rectangles: Readonly<Partial<Record<Texture, readonly Rectangle[]>>> = {
    horizontal: [across],
    vertical: [down],
    cross: [across, down],
    dots: [
      [0, 0, line * 1.6, line * 1.6],
      [half, half, line * 1.6, line * 1.6],
    ],
    checks: [
      [0, 0, half, half],
      [half, half, half, half],
    ],
  };
  for (const rectangle of rectangles[texture] ?? []) target.fillRect(...rectangle);
}

function drawSlope(
  target: CanvasRenderingContext2D,
  texture: 'rising' | 'falling',
  size: number,
  line: number,
): void {
  target.lineWidth = line;
  target.beginPath();
  // The neighbours' lines too, for the corners that they reach into.
  for (const shift of [-size, 0, size]) {
    const [left, right] = texture === 'rising' ? [size + line, -line] : [-line, size + line];
    target.moveTo(shift - line, left);
    target.lineTo(shift + size + line, right);
  }
  target.stroke();
}
