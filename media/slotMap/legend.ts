import { drawSplit, fillOfNone, unverifiedStrength, openFills } from './drawSlots.ts';
import { element } from './element.ts';
import { makeFills } from './fills.ts';
import { countStandings, standingOf, type SlotStanding, type SlotTable } from './slotTable.ts';
import { readTheme } from './theme.ts';

const texts: Readonly<Record<Exclude<SlotStanding, 'served'>, string>> = {
  uncovered: 'Not covered',
  failed: 'Master failed',
  contested: 'Claimed by two masters',
  unverified: 'Master does not answer',
  moving: 'Open',
};

/** Explains the fills on the map that are not a shard's colour. */
export interface Legend {
  readonly root: HTMLElement;
  show(table: SlotTable): void;
}

export function makeLegend(): Legend {
  const root = element('ul', { class: 'legend', 'aria-label': 'Legend' });
  return {
    root,
    show(table) {
      const standings = [...countStandings(table).keys()].filter((standing) => standing !== 'served');
      root.replaceChildren(
        ...standings.map((standing) => element('li', {}, swatch(table, standing), textOf(table, standing))),
      );
    },
  };
}

function textOf({ state }: SlotTable, standing: keyof typeof texts): string {
  return standing === 'moving' && state.openIsExpected ? 'Moving now' : texts[standing];
}

/** A sample of how the first slot of this standing looks. */
function swatch(table: SlotTable, standing: SlotStanding): HTMLCanvasElement {
  const canvas = element('canvas', { class: 'swatch' });
  const size = Math.round(14 * devicePixelRatio);
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  const theme = readTheme();
  const fills = makeFills(context, theme, devicePixelRatio);
  const slot = table.owners.findIndex((_, index) => standingOf(table, index) === standing);
  const owner = table.owners[slot];
  context.globalAlpha = standing === 'unverified' ? unverifiedStrength : 1;
  context.fillStyle = owner === undefined ? fillOfNone(table, fills) : fills.shard(owner.colour);
  context.fillRect(0, 0, size, size);
  if (standing === 'failed' || standing === 'contested') {
    context.fillStyle = fills.failed;
    context.fillRect(0, 0, size, size);
  }
  if (standing === 'moving') {
    drawSplit(context, [0, 0, size, size], openFills(table, slot, fills, theme.foreground));
    context.strokeStyle = theme.foreground;
    context.lineWidth = 4 * devicePixelRatio;
    context.strokeRect(0, 0, size, size);
  }
  return canvas;
}
