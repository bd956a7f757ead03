/** VS Code's kinds of theme, as the class of the page's body says them. */
export type ThemeKind = 'light' | 'dark' | 'highContrast' | 'highContrastLight';

/** How a shard's area is filled: a colour, and a texture drawn over it in a second one. */
export interface Fill {
  readonly colour: string;
  readonly texture: Texture;
  readonly ink: string;
}

export type Texture = (typeof textures)[number];
const textures = ['plain', 'rising', 'dots', 'falling', 'horizontal', 'checks', 'vertical', 'cross'] as const;

/**
 * Hues in degrees of OKLCH and how much lighter or darker each is than the theme's middle. Neighbours in this order are
 * far apart in hue and differ in lightness too, for those who do not see hues. Reds are left out: they mean trouble.
 */
const hues: readonly (readonly [hue: number, lighter: number])[] = [
  [252, 0],
  [152, 0.06],
  [85, 0.1],
  [312, -0.02],
  [200, 0.07],
  [52, 0],
  [280, -0.08],
  [122, 0.1],
  [345, 0.03],
  [228, 0.1],
  [172, -0.06],
  [68, -0.06],
];

/** The fill of the colour with this number. After twelve the hues begin again, darker or lighter and with a texture. */
export function fillOf(colour: number, theme: ThemeKind): Fill {
  const [hue, lighter] = hues[colour % hues.length] ?? [0, 0];
  const round = Math.floor(colour / hues.length);
  const contrast = theme === 'highContrast' || theme === 'highContrastLight';
  const base = { light: 0.62, dark: 0.66, highContrast: 0.78, highContrastLight: 0.48 }[theme];
  const shade = round % 2 === 1 ? -0.1 : round > 0 ? 0.06 : 0;
  const lightness = base + lighter * (contrast ? 0.5 : 1) + shade;
  const chroma = contrast ? 0.16 : 0.125;
  // In high contrast every shard has a texture, since its colours need not be told apart by everybody.
  const texture = textures[(contrast ? colour : round) % textures.length] ?? 'plain';
  const ink = contrast
    ? theme === 'highContrast'
      ? 'oklch(0 0 0 / 0.75)'
      : 'oklch(1 0 0 / 0.75)'
    : `oklch(${(lightness > 0.55 ? lightness - 0.22 : lightness + 0.22).toFixed(3)} ${chroma} ${hue})`;
  return { colour: `oklch(${lightness.toFixed(3)} ${chroma} ${hue})`, texture, ink };
}
