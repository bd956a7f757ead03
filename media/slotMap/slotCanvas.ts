import { slotCount } from '../../src/model/slots.ts';
import { drawMarks, flashMs, marginOf, ringMs } from './drawMarks.ts';
import { drawSlots } from './drawSlots.ts';
import { element } from './element.ts';
import { makeFills, type Fills } from './fills.ts';
import { fitSlots, labelStep, moveCursor, slotAt, type Geometry } from './geometry.ts';
import { changedSlots, nextRange, type SlotTable } from './slotTable.ts';
import { readTheme, type Theme } from './theme.ts';

const labelHeight = 18;
/** The pulse of open slots needs no more than some 15 frames a second. */
const pulseStepMs = 66;

/** What the map tells the page. */
export interface SlotCanvasEvents {
  onCursor(slot: number): void;
  onHover(slot: number | undefined, x: number, y: number): void;
  /** A digit was typed on the map: the user wants to go to a slot by its number. */
  onDigit(digit: string): void;
}

/** The map: two canvases, one for the slots and one for all that moves over them, and the ruler beside. */
export class SlotCanvas {
  readonly root: HTMLElement;
  readonly #events: SlotCanvasEvents;
  readonly #marks = element('canvas', { class: 'marks', 'aria-hidden': 'true' });
  readonly #slots = element('canvas', {
    class: 'slots',
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'slot map',
    'aria-label': `Map of the ${String(slotCount)} hash slots`,
    'aria-describedby': 'map-help readout',
  });
  readonly #ruler = element('div', { class: 'ruler', 'aria-hidden': 'true' });
  readonly #lessMotion = matchMedia('(prefers-reduced-motion: reduce)');
  #table: SlotTable | undefined;
  #geometry: Geometry = fitSlots(1, 1);
  #theme: Theme = readTheme();
  #ratio = devicePixelRatio;
  #fills: Fills | undefined;
  #flashes = new Map<number, number>();
  #cursor = 0;
  #hovered: number | undefined;
  #highlighted: string | undefined;
  #jumpedAt = -ringMs;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: SlotCanvasEvents) {
    this.#events = events;
    this.root = element('div', { class: 'map' }, this.#ruler, this.#slots, this.#marks);
    this.#slots.addEventListener('keydown', (event) => {
      this.#onKey(event);
    });
    for (const name of ['focus', 'blur'] as const) {
      this.#slots.addEventListener(name, () => {
        this.#drawMarksSoon();
      });
    }
    this.#slots.addEventListener('pointermove', (event) => {
      this.#hover(this.#slotUnder(event), event.clientX, event.clientY);
    });
    this.#slots.addEventListener('pointerleave', () => {
      this.#hover(undefined, 0, 0);
    });
    this.#slots.addEventListener('pointerdown', (event) => {
      const slot = this.#slotUnder(event);
      if (slot !== undefined) this.moveTo(slot, { jump: false });
    });
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** In CSS pixels, without the ruler. */
  get width(): number {
    return this.#geometry.width / this.#ratio;
  }

  show(table: SlotTable): void {
    if (this.#table !== undefined) {
      const now = performance.now();
      for (const slot of changedSlots(this.#table, table)) this.#flashes.set(slot, now);
    }
    this.#table = table;
    this.#draw();
  }

  /** Brings a shard's slots forward; undefined shows all alike. */
  highlight(shardId: string | undefined): void {
    if (shardId === this.#highlighted) return;
    this.#highlighted = shardId;
    this.#draw();
  }

  moveTo(slot: number, { jump }: { readonly jump: boolean }): void {
    this.#cursor = slot;
    if (jump) this.#jumpedAt = performance.now();
    this.#events.onCursor(slot);
    this.#drawMarksSoon();
  }

  focus(): void {
    this.#slots.focus();
  }

  /** Fits the map into a box, in CSS pixels. */
  fit(width: number, height: number): void {
    const ratio = devicePixelRatio;
    const geometry = fitSlots(Math.floor(width * ratio), Math.floor(height * ratio));
    const same = geometry.width === this.#geometry.width && geometry.height === this.#geometry.height;
    if (same && ratio === this.#ratio) return;
    this.#ratio = ratio;
    this.#geometry = geometry;
    const margin = marginOf(this.#ratio);
    this.#size(this.#slots, this.#geometry.width, this.#geometry.height);
    this.#size(this.#marks, this.#geometry.width + 2 * margin, this.#geometry.height + 2 * margin);
    this.#marks.style.margin = `${-margin / this.#ratio}px`;
    this.#labelRows();
    this.restyle();
  }

  /** Takes the theme's colours again. */
  restyle(): void {
    this.#theme = readTheme();
    this.#fills = undefined;
    this.#draw();
  }

  #size(canvas: HTMLCanvasElement, width: number, height: number): void {
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${width / this.#ratio}px`;
    canvas.style.height = `${height / this.#ratio}px`;
  }

  #labelRows(): void {
    const step = labelStep(this.#geometry, labelHeight * this.#ratio);
    const labels: HTMLElement[] = [];
    for (let row = 0; row < this.#geometry.rows; row += step) {
      const label = element('span', {}, String(row * this.#geometry.columns));
      label.style.top = `${(row * this.#geometry.cellHeight) / this.#ratio}px`;
      labels.push(label);
    }
    this.#ruler.replaceChildren(...labels);
    this.#ruler.style.height = `${this.#geometry.height / this.#ratio}px`;
  }

  #draw(): void {
    const context = this.#slots.getContext('2d');
    if (context === null || this.#table === undefined) return;
    this.#fills ??= makeFills(context, this.#theme, this.#ratio);
    drawSlots(context, {
      table: this.#table,
      geometry: this.#geometry,
      fills: this.#fills,
      theme: this.#theme,
      highlighted: this.#highlighted,
    });
    this.#drawMarksSoon();
  }

  #drawMarksSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      this.#drawMarks(now);
    });
  }

  #drawMarks(now: number): void {
    const context = this.#marks.getContext('2d');
    if (context === null || this.#table === undefined) return;
    for (const [slot, since] of this.#flashes) if (now - since >= flashMs) this.#flashes.delete(slot);
    const marks = {
      cursor: this.#cursor,
      focused: document.activeElement === this.#slots,
      hovered: this.#hovered,
      moving: this.#table.moving.keys(),
      flashes: this.#flashes,
      jumpedAt: this.#jumpedAt,
    };
    const still = this.#lessMotion.matches || document.body.classList.contains('vscode-reduce-motion');
    drawMarks(context, this.#geometry, this.#theme, this.#ratio, marks, now, still);
    const passing = this.#flashes.size > 0 || now - this.#jumpedAt < ringMs;
    const pulsing = this.#table.moving.size > 0 && !still;
    if (passing || pulsing) this.#drawMarksLater(passing && !still ? 0 : pulseStepMs);
  }

  #drawMarksLater(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#drawMarksSoon();
    }, milliseconds);
  }

  #slotUnder(event: PointerEvent): number | undefined {
    const box = this.#slots.getBoundingClientRect();
    return slotAt(
      this.#geometry,
      (event.clientX - box.left) * this.#ratio,
      (event.clientY - box.top) * this.#ratio,
    );
  }

  #hover(slot: number | undefined, x: number, y: number): void {
    this.#events.onHover(slot, x, y);
    if (slot === this.#hovered) return;
    this.#hovered = slot;
    this.#drawMarksSoon();
  }

  #onKey(event: KeyboardEvent): void {
    const control = event.ctrlKey || event.metaKey;
    if (event.altKey) return;
    if (/^\d$/.test(event.key) && !control) {
      event.preventDefault();
      this.#events.onDigit(event.key);
      return;
    }
    const target = this.#targetOf(event.key, control);
    if (target === undefined) return;
    event.preventDefault();
    this.moveTo(target, { jump: control || Math.abs(target - this.#cursor) > this.#geometry.columns });
  }

  #targetOf(key: string, control: boolean): number | undefined {
    if (control && this.#table !== undefined) {
      if (key === 'ArrowRight') return nextRange(this.#table, this.#cursor, 1);
      if (key === 'ArrowLeft') return nextRange(this.#table, this.#cursor, -1);
    }
    return moveCursor(this.#geometry, this.#cursor, key, control);
  }
}
