import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillOf, type ThemeKind } from '../../../media/slotMap/palette.ts';

const themes: readonly ThemeKind[] = ['light', 'dark', 'highContrast', 'highContrastLight'];

test('thirty shards look different from each other in every theme', () => {
  for (const theme of themes) {
    const looks = Array.from({ length: 30 }, (_, colour) => {
      const fill = fillOf(colour, theme);
      return `${fill.colour} ${fill.texture}`;
    });
    assert.equal(new Set(looks).size, 30, theme);
  }
});

test('in high contrast neighbours differ in texture, not in colour alone', () => {
  for (let colour = 0; colour < 30; colour++) {
    const [one, next] = [fillOf(colour, 'highContrast'), fillOf(colour + 1, 'highContrast')];
    assert.notEqual(one.texture, next.texture);
  }
});

test('no shard has a red that could be taken for an error', () => {
  for (let colour = 0; colour < 12; colour++) {
    const hue = Number(/ ([\d.]+)\)$/.exec(fillOf(colour, 'dark').colour)?.[1]);
    assert.ok(hue > 45 && hue < 350, `hue ${hue}`);
  }
});
