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
  };
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
