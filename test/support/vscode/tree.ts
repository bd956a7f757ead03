import type { Locator, Page } from 'playwright-core';
import { whole } from './text.ts';

/** Rows of contributed trees in the visible side bar or panel; VS Code keeps only rows in view in the page. */
const rowSelector = '.tree-explorer-viewlet-tree-view .monaco-list-row';

/** What a test does with rows of the extension's trees. */
export interface TreeUnderTest {
  /** The first visible row whose label is `label`, or whose label and description match it. */
  treeRow(label: string | RegExp): Locator;
  expandRow(label: string | RegExp): Promise<void>;
  clickRow(label: string | RegExp): Promise<void>;
  /** The visible rows as a screen reader says them. */
  rowTexts(): Promise<string[]>;
  /** Chooses from a row's context menu; further items are those of its submenus. */
  rowMenu(label: string | RegExp, ...items: readonly string[]): Promise<void>;
  /** Presses one of the icons that a row shows when the mouse is over it. */
  rowAction(label: string | RegExp, action: string): Promise<void>;
  /** Sets the width of the side bar in pixels, and leaves the mouse where it marks nothing. */
  setSideBarWidth(width: number): Promise<void>;
  /** The visible rows of whose text not even the first words can be read at the side bar's width. */
  rowsCutWithin(words: number): Promise<string[]>;
}

/** What is asked of an element in the page. */
interface WithAttributes {
  getAttribute(name: string): string | null;
}

export function treeOf(page: Page): TreeUnderTest {
  const treeRow = (label: string | RegExp) => {
    const rows = page.locator(rowSelector);
    const named = page.locator('.label-name').filter({ hasText: whole(label) });
    return (
      typeof label === 'string' ? rows.filter({ has: named }) : rows.filter({ hasText: label })
    ).first();
  };
  return {
    treeRow,
    expandRow: async (label) => {
      const row = treeRow(label);
      if ((await row.getAttribute('aria-expanded')) === 'true') return;
      await row.locator('.monaco-tl-twistie').click();
      await page.locator(`${rowSelector}[aria-expanded="true"]`).and(row).waitFor();
    },
    clickRow: (label) => treeRow(label).click(),
    // In one go: rows that are asked one after another may have changed places in between.
    rowTexts: () =>
      page
        .locator(rowSelector)
        .evaluateAll((rows: readonly WithAttributes[]) =>
          rows.map((row) => row.getAttribute('aria-label') ?? ''),
        ),
    rowMenu: async (label, ...items) => {
      await openRowMenu(page, treeRow(label), items[0] ?? '');
      for (const item of items) {
        await page
          .locator('.monaco-menu .action-label')
          .filter({ hasText: whole(item) })
          .last()
          // A menu ignores a button released within 100 ms of its opening: that may be the right click's own.
          .click({ delay: 150 });
      }
    },
    rowAction: async (label, action) => {
      const row = treeRow(label);
      await row.hover();
      await row.locator('.actions').getByRole('button', { name: action }).click();
    },
    setSideBarWidth: (width) => setSideBarWidth(page, width),
    rowsCutWithin: (words) => page.locator(rowSelector).evaluateAll(cutWithin, words),
  };
}

async function setSideBarWidth(page: Page, width: number): Promise<void> {
  const edge = await page.locator('.part.sidebar').boundingBox();
  if (edge === null) throw new Error('There is no side bar.');
  const [x, y] = [edge.x + edge.width, edge.y + edge.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(edge.x + width, y, { steps: 5 });
  await page.mouse.up();
  await page.mouse.move(20, edge.y + edge.height * 0.6);
}

/** What is measured in the page. */
interface Drawn {
  readonly innerText: string;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  querySelector(selector: string): Drawn | null;
  getBoundingClientRect(): { readonly left: number; readonly right: number };
}

/** Runs in the page: a label is drawn in one font, so that the part of its letters is about the part of its width. */
function cutWithin(rows: readonly Drawn[], words: number): string[] {
  return rows.flatMap((row) => {
    const label = row.querySelector('.label-name');
    if (label === null) return [];
    const text = label.innerText;
    const first = text.split(' ').slice(0, words).join(' ');
    const { left, right } = label.getBoundingClientRect();
    const needed = left + (right - left) * (first.length / Math.max(1, text.length));
    return needed <= row.getBoundingClientRect().right ? [] : [text];
  });
}

/** A row's menu is that of its state, such as reading: it is opened again until it has the item. */
async function openRowMenu(page: Page, row: Locator, item: string): Promise<void> {
  const wanted = page.locator('.monaco-menu .action-label').filter({ hasText: whole(item) });
  for (let tries = 0; tries < 10; tries++) {
    await row.click({ button: 'right' });
    const isThere = await wanted
      .last()
      .waitFor({ timeout: 2000 })
      .then(
        () => true,
        () => false,
      );
    if (isThere) return;
    await page.keyboard.press('Escape');
  }
}
