import { type Palette, paletteOf } from './palette.ts';
import { chunk, decode, header, packRows, signature } from './png.ts';

/** A screenshot, and how long it is shown. */
export interface Frame {
  readonly png: Buffer;
  readonly milliseconds: number;
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A screenshot as a smaller PNG, with a palette. */
export function still(png: Buffer): Buffer {
  const pixels = decode(png);
  const palette = paletteOf([pixels]);
  const { width, height } = pixels;
  return Buffer.concat([
    ...[signature, header(width, height), chunk('PLTE', palette.colours)],
    ...[chunk('IDAT', packRows(width, height, palette.indices(pixels))), chunk('IEND', Buffer.alloc(0))],
  ]);
}

/**
 * An animated PNG of screenshots of one size, which starts again at its end: https://www.w3.org/TR/png-3/#apng-frame-based-animation
 * After the first frame only what changed is in it.
 */
export function animation(frames: readonly Frame[]): Buffer {
  const pictures = frames.map(({ png }) => decode(png));
  const palette: Palette = paletteOf(pictures);
  const [first] = pictures;
  if (first === undefined) throw new Error('There is no frame.');
  const { width, height } = first;
  const parts: Buffer[] = [];
  let sequence = 0;
  let before: Uint8Array | undefined;
  for (const [index, picture] of pictures.entries()) {
    const indices = palette.indices(picture);
    const milliseconds = frames[index]?.milliseconds ?? 0;
    if (before === undefined) {
      const whole = { x: 0, y: 0, width, height };
      parts.push(chunk('fcTL', control(sequence++, whole, milliseconds)));
      parts.push(chunk('IDAT', packRows(width, height, indices)));
    } else {
      const area = changedArea(before, indices, width, height);
      const changes = indices.map((colour, at) => (before?.[at] === colour ? palette.transparent : colour));
      parts.push(chunk('fcTL', control(sequence++, area, milliseconds)));
      const rows = packRows(area.width, area.height, cut(changes, width, area));
      parts.push(chunk('fdAT', Buffer.concat([number32(sequence++), rows])));
    }
    before = indices;
  }
  return Buffer.concat([
    ...[signature, header(width, height)],
    chunk('acTL', Buffer.concat([number32(pictures.length), number32(0)])),
    chunk('PLTE', palette.colours),
    chunk('tRNS', transparency(palette)),
    ...parts,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function number32(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return data;
}

function transparency({ transparent }: Palette): Buffer {
  const alpha = Buffer.alloc(transparent + 1, 255);
  alpha[transparent] = 0;
  return alpha;
}

function control(sequence: number, { x, y, width, height }: Area, milliseconds: number): Buffer {
  const end = Buffer.alloc(6);
  end.writeUInt16BE(milliseconds, 0);
  end.writeUInt16BE(1000, 2);
  // Left where it is when the next comes, which is laid over it.
  end.set([0, 1], 4);
  return Buffer.concat([...[sequence, width, height, x, y].map(number32), end]);
}

/** The smallest rectangle outside which both are the same; one pixel where all of it is. */
function changedArea(before: Uint8Array, after: Uint8Array, width: number, height: number): Area {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let at = 0; at < after.length; at += 1) {
    if (before[at] === after[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [
      Math.min(left, x),
      Math.min(top, y),
      Math.max(right, x),
      Math.max(bottom, y),
    ];
  }
  if (right < 0) return { x: 0, y: 0, width: 1, height: 1 };
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

function cut(indices: Uint8Array, width: number, area: Area): Uint8Array {
  const part = new Uint8Array(area.width * area.height);
  for (let y = 0; y < area.height; y += 1) {
    const start = (area.y + y) * width + area.x;
    part.set(indices.subarray(start, start + area.width), y * area.width);
  }
  return part;
}
