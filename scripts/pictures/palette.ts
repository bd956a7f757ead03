import type { Pixels } from './png.ts';

/** At most 255 colours and a transparent one, and how pixels are written with them. */
export interface Palette {
  /** As PLTE has them, the transparent one last. */
  readonly colours: Uint8Array;
  /** Its number, for pixels that stay as they are. */
  readonly transparent: number;
  indices(pixels: Pixels): Uint8Array;
}

const mostColours = 255;

/**
 * The colours of these pictures, exactly where they are few. Otherwise similar ones, which only the edges of letters have,
 * become the most frequent of them.
 */
export function paletteOf(pictures: readonly Pixels[]): Palette {
  const counts = countColours(pictures);
  for (let bits = 8; bits > 2; bits -= 1) {
    const chosen = mostFrequent(counts, bits);
    if (chosen.size <= mostColours) return palette(chosen, bits);
  }
  throw new Error('There are too many colours.');
}

function countColours(pictures: readonly Pixels[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { rgb } of pictures) {
    for (let at = 0; at < rgb.length; at += 3) {
      const colour = colourAt(rgb, at);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  return counts;
}

function colourAt(rgb: Uint8Array, at: number): number {
  return ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0);
}

function cellOf(colour: number, bits: number): number {
  const mask = (0xff << (8 - bits)) & 0xff;
  return colour & ((mask << 16) | (mask << 8) | mask);
}

/** For each cell of similar colours the most frequent one. */
function mostFrequent(counts: ReadonlyMap<number, number>, bits: number): ReadonlyMap<number, number> {
  const chosen = new Map<number, number>();
  for (const [colour, count] of counts) {
    const cell = cellOf(colour, bits);
    const best = chosen.get(cell);
    if (best === undefined || count > (counts.get(best) ?? 0)) chosen.set(cell, colour);
  }
  return chosen;
}

function palette(chosen: ReadonlyMap<number, number>, bits: number): Palette {
  const cells = [...chosen.keys()];
  const numbers = new Map(cells.map((cell, index) => [cell, index]));
  const colours = new Uint8Array((cells.length + 1) * 3);
  for (const [index, colour] of [...chosen.values()].entries())
    colours.set([colour >> 16, (colour >> 8) & 0xff, colour & 0xff], index * 3);
  return {
    colours,
    transparent: cells.length,
    indices: ({ rgb }) => {
      const indices = new Uint8Array(rgb.length / 3);
      for (let at = 0; at < indices.length; at += 1)
        indices[at] = numbers.get(cellOf(colourAt(rgb, at * 3), bits)) ?? 0;
      return indices;
    },
  };
}
