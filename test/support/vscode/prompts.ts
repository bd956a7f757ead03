import type { Locator, Page } from 'playwright-core';
import { whole } from './text.ts';

/** What a test does with everything that VS Code asks or announces. */
export interface PromptsUnderTest {
  /** Runs the command of this title ("Category: Title") through the command palette. */
  palette(title: string): Promise<void>;
  /** Types into the input box that is open and accepts it. */
  typeInput(text: string): Promise<void>;
  /** Chooses the row of this label from the quick pick that is open. */
  pick(label: string | RegExp): Promise<void>;
  /** Ticks these rows, and only these, in the quick pick that is open, and accepts it. */
  pickMany(labels: readonly (string | RegExp)[]): Promise<void>;
  /** The quick pick's visible rows: label, description and detail. */
  pickTexts(): Promise<string[]>;
  /** What the open input box or quick pick says: title, prompt, validation message, placeholder. */
  promptText(): Promise<string>;
  /** The whole text of the modal that is open. */
  dialogText(): Promise<string>;
  pressDialog(button: string | RegExp): Promise<void>;
  /** The texts of the notifications on the screen, newest first. */
  notifications(): Promise<string[]>;
  pressNotification(message: string | RegExp, button: string): Promise<void>;
}

export function promptsOf(page: Page): PromptsUnderTest {
  const quick = page.locator('.quick-input-widget:visible');
  const input = quick.locator('.quick-input-filter input.input');
  const rows = quick.locator('.quick-input-list .monaco-list-row');
  const labels = page.locator('.quick-input-list-rows > .quick-input-list-row:first-child .label-name');
  const row = (label: string | RegExp) =>
    rows.filter({ has: labels.filter({ hasText: whole(label) }) }).first();
  const dialog = page.locator('.monaco-dialog-box');
  const toasts = page.locator('.notifications-toasts .notification-list-item');
  return {
    palette: async (title) => {
      await openPalette(page, input);
      await input.fill(`>${title}`);
      await row(title).click();
    },
    typeInput: async (text) => {
      await input.fill(text);
      await input.press('Enter');
    },
    pick: (label) => row(label).click(),
    pickMany: async (wanted) => {
      // The first of those still ticked each time: a click takes a row out of what the locator finds.
      const ticked = rows.locator('[role="checkbox"][aria-checked="true"]');
      while ((await ticked.count()) > 0) await ticked.first().click();
      for (const label of wanted) await row(label).locator('[role="checkbox"]').click();
      await input.press('Enter');
    },
    pickTexts: () => rows.allInnerTexts(),
    promptText: async () => `${await quick.innerText()}\n${(await input.getAttribute('placeholder')) ?? ''}`,
    dialogText: () => dialog.innerText(),
    pressDialog: async (button) => {
      // The next dialog may be there as soon as this one is gone.
      const shown = await dialog.elementHandle();
      await dialog.getByRole('button', { name: button, exact: true }).click();
      await shown.waitForElementState('hidden');
    },
    notifications: () => toasts.locator('.notification-list-item-message').allInnerTexts(),
    pressNotification: (message, button) =>
      toasts.filter({ hasText: message }).getByRole('button', { name: button, exact: true }).click(),
  };
}

/** A key pressed while a menu or another prompt is closing is lost, so it is pressed again. */
async function openPalette(page: Page, input: Locator): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    await page.keyboard.press('F1');
    const opened = await input.waitFor({ timeout: 1000 }).then(
      () => true,
      () => false,
    );
    if (opened) return;
  }
  throw new Error('VS Code did not open its command palette.');
}
