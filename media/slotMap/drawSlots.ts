import { slotCount } from '../../src/model/slots.ts';
import type { CanvasFill, Fills } from './fills.ts';
import { cornerOf, eachRun, type Geometry } from './geometry.ts';
import { standingOf, type SlotTable } from './slotTable.ts';
import type { Theme } from './theme.ts';

/** Cells smaller than this many device pixels have no lines between them: nothing would be left of the cells. */
const smallestWithLines = 4;

/** How strongly slots are drawn whose master does not answer. */
export const unverifiedStrength = 0.45;

export interface Scene {
  readonly table: SlotTable;
  readonly geometry: Geometry;
  readonly fills: Fills;
  readonly theme: Theme;
  /** The shard to bring forward, by id; the others step back. */
  readonly highlighted: string | undefined;
}

/** Draws all slots again. With runs of equal slots drawn at once this is a few milliseconds. */
export function drawSlots(context: CanvasRenderingContext2D, scene: Scene): void {
  const { geometry, table, theme } = scene;
  context.globalAlpha = 1;
  context.fillStyle = theme.background;
  context.fillRect(0, 0, geometry.width, geometry.height);
  const looks = Array.from({ length: slotCount }, (_, slot) => lookOf(table, slot));
  eachRun(
    geometry,
    (slot, next) => looks[slot] === looks[next],
    (start, length) => {
      drawRun(context, scene, start, length);
    },
  );
  context.globalAlpha = 1;
  for (const slot of table.moving.keys()) drawMoving(context, scene, slot);
  if (Math.min(geometry.cellWidth, geometry.cellHeight) >= smallestWithLines) {
    drawLines(context, scene);
    drawBorders(context, scene);
  }
}

/** Equal for slots that are drawn alike. */
function lookOf(table: SlotTable, slot: number): string {
  return `${table.owners[slot]?.id ?? ''} ${standingOf(table, slot)}`;
}

function drawRun(context: CanvasRenderingContext2D, scene: Scene, start: number, length: number): void {
  const { geometry, table, fills, highlighted } = scene;
  const [x, y] = cornerOf(geometry, start);
  const owner = table.owners[start];
  const standing = standingOf(table, start);
  const rectangle = [x, y, length * geometry.cellWidth, geometry.cellHeight] as const;
  const strength = standing === 'unverified' ? unverifiedStrength : 1;
  context.globalAlpha = highlighted === undefined || highlighted === owner?.id ? strength : strength * 0.2;
  context.fillStyle = owner === undefined ? fillOfNone(table, fills) : fills.shard(owner.colour);
  context.fillRect(...rectangle);
  if (standing !== 'failed' && standing !== 'contested') return;
  context.fillStyle = fills.failed;
  context.fillRect(...rectangle);
}

function drawMoving(context: CanvasRenderingContext2D, scene: Scene, slot: number): void {
  const { geometry, table, fills, theme } = scene;
  const [x, y] = cornerOf(geometry, slot);
  const size = [geometry.cellWidth, geometry.cellHeight] as const;
  drawSplit(context, [x, y, ...size], openFills(table, slot, fills, theme.foreground));
}

/** The fills of an open slot's source and target; an end that is no shard we know has the other colour. */
export function openFills(
  table: SlotTable,
  slot: number,
  fills: Fills,
  unknown: string,
): readonly [CanvasFill, CanvasFill] {
  const move = table.moving.get(slot);
  const fillOfEnd = (id: string | undefined): CanvasFill => {
    const shard = table.state.shards.find((candidate) => candidate.id === id);
    return shard === undefined ? unknown : fills.shard(shard.colour);
  };
  return [fillOfEnd(move?.from), fillOfEnd(move?.to)];
}

/** Fills a rectangle with one fill above its diagonal and another below. */
export function drawSplit(
  context: CanvasRenderingContext2D,
  [x, y, width, height]: readonly [number, number, number, number],
  [above, below]: readonly [CanvasFill, CanvasFill],
): void {
  context.fillStyle = above;
  context.fillRect(x, y, width, height);
  context.fillStyle = below;
  context.beginPath();
  context.moveTo(x + width, y);
  context.lineTo(x + width, y + height);
  context.lineTo(x, y + height);
  context.fill();
}

export function fillOfNone(table: SlotTable, fills: Fills): CanvasFill {
  return table.state.standing === 'empty' ? fills.unassigned : fills.uncovered;
}

/** Thin lines that make cells of the areas; in high contrast the textures do, and lines would blur them. */
function drawLines(context: CanvasRenderingContext2D, { geometry, theme }: Scene): void {
  if (isContrast(theme)) return;
  context.fillStyle = theme.background;
  // The smaller the cells, the more of them their lines would take.
  context.globalAlpha = Math.min(0.08 * (Math.min(geometry.cellWidth, geometry.cellHeight) - 1), 0.5);
  for (let column = 1; column < geometry.columns; column++) {
    context.fillRect(column * geometry.cellWidth - 1, 0, 1, geometry.height);
  }
  for (let row = 1; row < geometry.rows; row++) {
    context.fillRect(0, row * geometry.cellHeight - 1, geometry.width, 1);
  }
  context.globalAlpha = 1;
}

/** Full lines where the owner changes: around uncovered slots in the colour of errors, so that a single one is seen. */
function drawBorders(context: CanvasRenderingContext2D, { geometry, table, theme }: Scene): void {
  const { columns, cellWidth, cellHeight } = geometry;
  const between = isContrast(theme) ? theme.border : theme.background;
  for (let slot = 0; slot < slotCount; slot++) {
    const owner = table.owners[slot]?.id;
    const [x, y] = cornerOf(geometry, slot);
    const border = (neighbour: number, width: number, height: number): void => {
      const other = table.owners[neighbour]?.id;
      if (other === owner) return;
      context.fillStyle = owner === undefined || other === undefined ? theme.error : between;
      context.fillRect(x + cellWidth - width, y + cellHeight - height, width, height);
    };
    if ((slot + 1) % columns !== 0) border(slot + 1, 1, cellHeight);
    if (slot + columns < slotCount) border(slot + columns, cellWidth, 1);
  }
}

function isContrast({ kind }: Theme): boolean {
  return kind === 'highContrast' || kind === 'highContrastLight';
}
