import { quantity } from '../../src/model/quantity.ts';
import { formatSlots } from '../../src/model/slots.ts';
import type { ShardState } from '../../src/ui/panels/slotMap/messages.ts';
import { element, setAttributes, setName, setText } from './element.ts';
import { ranges, replicasText, share } from './slotText.ts';

/** As many ranges as a row shows before one asks for all of them by choosing the row. */
const rangesInShort = 6;

/** With more shards than this, replicas and ranges are shown of the chosen row only. */
const shardsInFull = 8;

interface Row {
  readonly root: HTMLElement;
  readonly swatch: HTMLCanvasElement;
  readonly fields: Readonly<
    Record<'name' | 'health' | 'count' | 'keys' | 'address' | 'replicas' | 'ranges', HTMLElement>
  >;
  readonly bar: HTMLElement;
  /** The colour that swatch and bar have been painted with. */
  painted?: number;
}

/** The shards beside the map: a list box with one row each, of which one may be chosen to stay in the foreground. */
export class ShardList {
  readonly root = element('div', { class: 'shards', role: 'listbox', 'aria-label': 'Shards' });
  readonly #rows = new Map<string, Row>();
  readonly #onHighlight: (shardId: string | undefined) => void;
  readonly #paint: (swatch: HTMLCanvasElement, bar: HTMLElement, colour: number) => void;
  #shards: readonly ShardState[] = [];
  #pointed: string | undefined;
  #focused: string | undefined;
  #chosen: string | undefined;

  constructor(
    onHighlight: (shardId: string | undefined) => void,
    paint: (swatch: HTMLCanvasElement, bar: HTMLElement, colour: number) => void,
  ) {
    this.#onHighlight = onHighlight;
    this.#paint = paint;
    this.root.addEventListener('keydown', (event) => {
      this.#onKey(event);
    });
  }

  show(shards: readonly ShardState[]): void {
    this.#shards = shards;
    this.root.classList.toggle('compact', shards.length > shardsInFull);
    const ids = new Set(shards.map((shard) => shard.id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.root.remove();
      this.#rows.delete(id);
    }
    if (this.#chosen !== undefined && !ids.has(this.#chosen)) this.#chosen = undefined;
    shards.forEach((shard, index) => {
      const row = this.#rows.get(shard.id) ?? this.#makeRow(shard.id);
      this.#fill(row, shard);
      // Moving a row that has the focus would take the focus from it.
      if (this.root.children[index] !== row.root)
        this.root.insertBefore(row.root, this.root.children[index] ?? null);
    });
    this.#tellHighlight();
    this.#setTabStop();
  }

  /** Paints the swatches again, after a change of theme. */
  restyle(): void {
    for (const shard of this.#shards) {
      const row = this.#rows.get(shard.id);
      if (row !== undefined) this.#paint(row.swatch, row.bar, shard.colour);
    }
  }

  #makeRow(id: string): Row {
    const field = (name: string): HTMLElement => element('span', { class: name });
    const fields = {
      name: field('name'),
      health: field('health'),
      count: field('count'),
      keys: field('keys'),
      address: field('address'),
      replicas: field('replicas'),
      ranges: field('ranges'),
    };
    const swatch = element('canvas', { class: 'swatch' });
    const bar = element('span', { class: 'bar' });
    const root = element(
      'div',
      { class: 'shard', role: 'option', 'data-shard-id': id },
      swatch,
      fields.name,
      fields.count,
      element('span', { class: 'track' }, bar),
      fields.health,
      fields.keys,
      fields.address,
      fields.replicas,
      fields.ranges,
    );
    const row = { root, swatch, bar, fields };
    this.#rows.set(id, row);
    root.addEventListener('pointerenter', () => {
      this.#pointed = id;
      this.#tellHighlight();
    });
    root.addEventListener('pointerleave', () => {
      this.#pointed = undefined;
      this.#tellHighlight();
    });
    root.addEventListener('focus', () => {
      this.#focused = root.matches(':focus-visible') ? id : undefined;
      this.#setTabStop(id);
      this.#tellHighlight();
    });
    root.addEventListener('blur', () => {
      this.#focused = undefined;
      this.#tellHighlight();
    });
    root.addEventListener('click', () => {
      this.#choose(id);
    });
    return row;
  }

  #fill(row: Row, shard: ShardState): void {
    const { root, swatch, bar, fields } = row;
    const keys = shard.keys === undefined ? 'keys unknown' : quantity(shard.keys, 'key');
    const chosen = shard.id === this.#chosen;
    setName(fields.name, shard.label);
    fields.name.title = [shard.label, shard.address, shard.id]
      .filter((text) => text !== undefined)
      .join('\n');
    setCount(fields.count, shard.count);
    setText(fields.keys, keys);
    setText(fields.address, shard.address ?? '');
    setText(fields.replicas, replicasText(shard) + names(shard));
    setText(fields.health, shard.healthText);
    setText(
      fields.ranges,
      shard.count === 0 ? 'No slots' : ranges(shard.slots, chosen ? shard.slots.length : rangesInShort),
    );
    bar.style.width = `${(shard.count / 16_384) * 100}%`;
    setAttributes(root, {
      'data-slots': formatSlots(shard.slots),
      'data-count': String(shard.count),
      'data-health': shard.health,
      'data-replicas': String(shard.replicas.length),
      'aria-selected': String(chosen),
    });
    if (row.painted !== shard.colour) this.#paint(swatch, bar, shard.colour);
    row.painted = shard.colour;
  }

  #choose(id: string): void {
    const before = this.#chosen;
    this.#chosen = before === id ? undefined : id;
    for (const changed of [before, id]) {
      const row = changed === undefined ? undefined : this.#rows.get(changed);
      const shard = this.#shards.find((candidate) => candidate.id === changed);
      if (row !== undefined && shard !== undefined) this.#fill(row, shard);
    }
    this.#tellHighlight();
  }

  #tellHighlight(): void {
    this.#onHighlight(this.#pointed ?? this.#focused ?? this.#chosen);
  }

  /** One row is in the tab order; the arrow keys go on from there. */
  #setTabStop(id = this.#chosen ?? this.#shards[0]?.id): void {
    const focused = [...this.#rows.values()].find(({ root }) => root === document.activeElement);
    for (const [rowId, { root }] of this.#rows) {
      root.tabIndex = (focused === undefined ? rowId === id : root === focused.root) ? 0 : -1;
    }
  }

  #onKey(event: KeyboardEvent): void {
    const rows = [...this.root.children].filter((child) => child instanceof HTMLElement);
    const index = rows.findIndex((row) => row === document.activeElement);
    const targets: Readonly<Partial<Record<string, number>>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: rows.length - 1,
    };
    const target = targets[event.key];
    if (target !== undefined) rows[target]?.focus();
    else {
      const here = event.key === 'Enter' || event.key === ' ' ? rows[index]?.dataset['shardId'] : undefined;
      const toChoose = event.key === 'Escape' ? this.#chosen : here;
      if (toChoose === undefined) return;
      this.#choose(toChoose);
    }
    event.preventDefault();
  }
}

/** A row is read out as it stands; only there the number needs its word. */
function setCount(target: HTMLElement, count: number): void {
  setText(target, `${quantity(count, 'slot')} · ${share(count)}`);
}

function names({ replicas }: ShardState): string {
  return replicas.length === 0 ? '' : `: ${replicas.map(({ name }) => name).join(', ')}`;
}
