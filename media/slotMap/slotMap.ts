import type { FromPanel, SlotMapState, ToPanel } from '../../src/ui/panels/slotMap/messages.ts';
import { element, setAttributes, setName, setText } from './element.ts';
import { makeFills } from './fills.ts';
import { makeFinder } from './finder.ts';
import { makeHeader } from './header.ts';
import { makeLegend } from './legend.ts';
import { fillOf } from './palette.ts';
import { ShardList } from './shardList.ts';
import { SlotCanvas } from './slotCanvas.ts';
import { slotTable, standingOf, type SlotTable } from './slotTable.ts';
import { slotText, summary } from './slotText.ts';
import { onThemeChange, readTheme } from './theme.ts';
import { button, progressRing } from './toolkit.ts';

declare function acquireVsCodeApi(): {
  postMessage(message: FromPanel): void;
  getState(): unknown;
  setState(state: PageState): void;
};

/** What outlives the page: VS Code throws it away while it is hidden, and over a reload of the window. */
interface PageState {
  readonly ref: SlotMapState['ref'];
  readonly cursor: number;
}

const vscode = acquireVsCodeApi();
let table: SlotTable | undefined;

const header = makeHeader(
  (command) => {
    vscode.postMessage({ type: 'run', command });
  },
  (slot) => {
    map.moveTo(slot, { jump: true });
  },
);
const finder = makeFinder(
  (slot, jump) => {
    map.moveTo(slot, { jump });
  },
  () => {
    map.focus();
  },
);
const list = new ShardList((shardId) => {
  map.highlight(shardId);
}, paintSwatch);
const map = new SlotCanvas({ onCursor, onHover, onDigit: finder.startNumber });

const readoutSlot = element('strong', {});
const readoutOwner = element('span', { class: 'name' });
const readoutStanding = element('p', { class: 'quiet' });
const readout = element(
  'div',
  { id: 'readout', role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true' },
  element('p', { class: 'slot' }, readoutSlot, ' ', readoutOwner),
  readoutStanding,
);
const showInTree = button('Show in Tree', () => {
  const node = readout.dataset['owner'];
  if (node !== undefined && node !== '') vscode.postMessage({ type: 'showInTree', node });
});
const readoutBar = element('div', { class: 'readout-bar' }, readout, showInTree);
const legend = makeLegend();
const tooltip = element('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: '' });
const summaryText = element('p', { class: 'only-read' });
const help = element(
  'p',
  { id: 'map-help', class: 'help' },
  'Move with the arrow keys, Page Up, Page Down, Home and End. Press Ctrl+← or Ctrl+→ to jump between ranges. Type a number to go to a slot.',
);
const mapPane = element(
  'section',
  { class: 'map-pane', 'aria-label': 'Map' },
  finder.root,
  map.root,
  readoutBar,
  legend.root,
  help,
);
const listPane = element('section', { class: 'list-pane', 'aria-label': 'Shards' }, list.root);
const panes = element('div', { class: 'panes' }, mapPane, listPane);
const page = element('main', { class: 'page' }, header.root, summaryText, panes, tooltip);
const waiting = element('div', { class: 'waiting', role: 'status' }, progressRing(), element('p', {}));
document.body.append(waiting);

function showState(state: SlotMapState): void {
  if (!page.isConnected) {
    document.body.replaceChildren(page);
  }
  table = slotTable(state);
  header.show(table);
  setText(summaryText, summary(table));
  page.classList.toggle('nothing', state.shards.length === 0);
  legend.show(table);
  list.show(state.shards);
  tellSlot(map.cursor);
  fit();
  map.show(table);
  saveState();
}

function fit(): void {
  if (!page.isConnected) return;
  const narrow = panes.clientWidth < 720;
  page.classList.toggle('narrow', narrow);
  const ruler = narrow ? 40 : 48;
  const others = [finder.root, readoutBar, legend.root, help]
    .map((part) => (part.clientHeight === 0 ? 0 : part.clientHeight + 10))
    .reduce((sum, height) => sum + height);
  const width = narrow ? mapPane.clientWidth - ruler : panes.clientWidth - ruler - 320;
  const height = narrow ? Math.max(width * 1.25, 400) : panes.clientHeight - others;
  map.fit(width, Math.max(height, 128));
  mapPane.style.width = narrow ? '' : `${Math.max(map.width + ruler, 400)}px`;
}

function goTo(slot: number): void {
  map.moveTo(slot, { jump: true });
  map.focus();
}

function onCursor(slot: number): void {
  tellSlot(slot);
  saveState();
}

function tellSlot(slot: number): void {
  if (table === undefined) return;
  const owner = table.owners[slot];
  const { title, owner: ownerName, range, standing } = slotText(table, slot);
  setAttributes(readout, {
    'data-slot': String(slot),
    'data-owner': owner?.id ?? '',
    'data-owner-label': owner?.label ?? '',
    'data-standing': standingOf(table, slot),
  });
  showInTree.toggleAttribute('hidden', owner === undefined);
  setText(readoutSlot, title);
  setName(readoutOwner, ownerName);
  setText(readoutStanding, `${range} · ${standing}`);
}

function onHover(slot: number | undefined, x: number, y: number): void {
  tooltip.hidden = slot === undefined;
  if (slot === undefined || table === undefined) return;
  const { title, owner, range, standing } = slotText(table, slot);
  tooltip.replaceChildren(
    element('p', {}, element('strong', {}, title), ` ${owner}`),
    element('p', { class: 'quiet' }, range),
    element('p', { class: 'quiet' }, standing),
  );
  const box = tooltip.getBoundingClientRect();
  const left = x + 14 + box.width > innerWidth ? x - box.width - 10 : x + 14;
  const top = y + 18 + box.height > innerHeight ? y - box.height - 10 : y + 18;
  tooltip.style.left = `${Math.max(4, left)}px`;
  tooltip.style.top = `${Math.max(4, top)}px`;
}

function paintSwatch(swatch: HTMLCanvasElement, bar: HTMLElement, colour: number): void {
  const size = Math.round(14 * devicePixelRatio);
  swatch.width = swatch.height = size;
  const context = swatch.getContext('2d');
  const theme = readTheme();
  if (context !== null) {
    context.fillStyle = makeFills(context, theme, devicePixelRatio).shard(colour);
    context.fillRect(0, 0, size, size);
  }
  bar.style.background = fillOf(colour, theme.kind).colour;
}

function saveState(): void {
  if (table !== undefined) vscode.setState({ ref: table.state.ref, cursor: map.cursor });
}

function savedCursor(): number | undefined {
  const state = vscode.getState();
  if (typeof state !== 'object' || state === null || !('cursor' in state)) return undefined;
  return typeof state.cursor === 'number' ? state.cursor : undefined;
}

onThemeChange(() => {
  map.restyle();
  list.restyle();
  if (table !== undefined) legend.show(table);
});
const resized = new ResizeObserver(fit);
for (const part of [document.documentElement, header.root, finder.root, legend.root, help])
  resized.observe(part);
addEventListener('message', (event: MessageEvent<ToPanel>) => {
  if (event.data.type === 'state') showState(event.data.state);
  else if (event.data.type === 'goTo') goTo(event.data.slot);
  else if (page.isConnected) {
    if (event.data.type === 'gone') header.tellGone(event.data.text);
  } else {
    waiting.classList.toggle('gone', event.data.type === 'gone');
    setText(waiting.lastElementChild ?? waiting, event.data.text);
  }
});
map.moveTo(savedCursor() ?? 0, { jump: false });
vscode.postMessage({ type: 'ready' });
