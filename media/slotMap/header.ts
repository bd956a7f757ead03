import { quantity } from '../../src/model/quantity.ts';
import { slotCount } from '../../src/model/slots.ts';
import type { SlotMapCommand, SlotMapState } from '../../src/ui/panels/slotMap/messages.ts';
import { element, setAttributes, setText } from './element.ts';
import { coveredCount, isServing, type SlotTable } from './slotTable.ts';
import { number } from './slotText.ts';
import { makeRunningBar } from './runningBar.ts';
import { button } from './toolkit.ts';

/** The head of the page: whose map it is, how it stands, what is wrong, and what one can do. */
export interface Header {
  readonly root: HTMLElement;
  show(table: SlotTable): void;
  /** Says instead of all problems that the cluster is gone, and takes away what would be refused. */
  tellGone(text: string): void;
}

/** `goTo` takes the cursor to the first slot of a kind that the head counts. */
export function makeHeader(run: (command: SlotMapCommand) => void, goTo: (slot: number) => void): Header {
  const name = element('h1', {});
  const where = element('p', { class: 'where' });
  const asOf = element('span', { class: 'as-of' });
  const facts = element('ul', { class: 'head-facts' });
  const problems = element('ul', { class: 'problems', 'aria-label': 'Problems' });
  const command = (text: string, id: SlotMapCommand): HTMLElement =>
    button(text, () => {
      run(id);
    });
  const reshard = command('Reshard…', 'redisCluster.reshard');
  const signIn = command('Sign In…', 'redisCluster.signIn');
  const bar = makeRunningBar(run);
  const actions = element(
    'div',
    { class: 'actions' },
    asOf,
    signIn,
    command('Check', 'redisCluster.check'),
    reshard,
    command('Refresh', 'redisCluster.refresh'),
  );
  const title = element('div', { class: 'title' }, element('div', {}, name, where), actions);
  return {
    root: element('header', {}, title, bar.root, facts, problems),
    show(table) {
      const { state } = table;
      // It would be refused: of which slots there are nothing is known.
      reshard.hidden = state.standing === 'unreachable';
      signIn.hidden = !state.mayNeedSignIn;
      setText(name, state.name);
      setText(where, state.where);
      setText(asOf, `As of ${new Date(state.takenAt).toLocaleTimeString()}`);
      bar.show(state.running);
      replaceChanged(facts, factsOf(table, goTo));
      replaceChanged(problems, problemsOf(state));
      setAttributes(problems, { 'data-count': String(state.problems.length) });
    },
    tellGone(text) {
      reshard.hidden = signIn.hidden = true;
      bar.show(undefined);
      replaceChanged(problems, [element('li', {}, text)]);
    },
  };
}

function factsOf(table: SlotTable, goTo: (slot: number) => void): readonly HTMLElement[] {
  const { state } = table;
  if (state.shards.length === 0) return [];
  const known = state.shards.flatMap((shard) => (shard.keys === undefined ? [] : [shard.keys]));
  const keys = quantity(
    known.reduce((sum, count) => sum + count, 0),
    'key',
  );
  const facts = [coverage(table, goTo), fact('', quantity(state.shards.length, 'shard'))];
  if (known.length > 0)
    facts.push(fact('', known.length === state.shards.length ? keys : `At least ${keys}`));
  const [open] = table.moving.keys();
  if (open !== undefined) {
    facts.push(
      factButton(state.openIsExpected ? 'moving' : 'open', openText(table), () => {
        goTo(open);
      }),
    );
  }
  return facts;
}

function openText({ state, moving }: SlotTable): string {
  return state.openIsExpected
    ? `${quantity(moving.size, 'slot')} moving now`
    : quantity(moving.size, 'open slot');
}

function coverage(table: SlotTable, goTo: (slot: number) => void): HTMLElement {
  const covered = coveredCount(table);
  const unknown = table.owners.filter((owner) => owner?.health === 'unreachable').length;
  const text = `${number(covered)} of ${number(slotCount)} slots covered${unknown === 0 ? '' : `, ${number(unknown)} unknown`}`;
  const first = table.owners.findIndex((owner) => owner === undefined || !isServing(owner));
  if (first === -1) return fact('good', text);
  if (table.state.standing === 'empty') return fact('', text);
  return factButton('bad', text, () => {
    goTo(first);
  });
}

function fact(kind: string, text: string): HTMLElement {
  return element('li', { class: `fact ${kind}` }, text);
}

function factButton(kind: string, text: string, onClick: () => void): HTMLElement {
  const show = element('button', { type: 'button', title: 'Show on the map' }, text);
  show.addEventListener('click', onClick);
  return element('li', { class: `fact ${kind}` }, show);
}

function problemsOf(state: SlotMapState): readonly HTMLElement[] {
  const standing = {
    known: [],
    empty: [
      element(
        'li',
        { class: 'note' },
        'No slots are assigned to masters yet, so the cluster accepts no keys.',
      ),
    ],
    unreachable: [
      element(
        'li',
        { class: 'note' },
        state.shards.length === 0
          ? 'No server could be read, so there is no map to show.'
          : 'No server could be read. The map shows the last known state.',
      ),
    ],
  }[state.standing];
  const problems = state.problems.map((problem) => element('li', {}, problem));
  const expected = state.expected.map((text) => element('li', { class: 'note' }, text));
  return state.standing === 'unreachable'
    ? [...problems, ...standing, ...expected]
    : [...standing, ...problems, ...expected];
}

/** Leaves a list alone that says the same already, so that the focus stays in it. */
function replaceChanged(list: HTMLElement, items: readonly HTMLElement[]): void {
  const texts = (elements: Iterable<Element>): string => [...elements].map((item) => item.outerHTML).join('');
  if (texts(list.children) !== texts(items)) list.replaceChildren(...items);
}
