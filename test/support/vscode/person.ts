import type { VSCodeUnderTest } from '../launchVSCode.ts';
import { eventually } from './kubernetesAccess.ts';

/** What a person sees of a window, and waits for. */
export interface Person {
  /** Screenshots `<name>-dark` and `<name>-light`; the theme is dark afterwards. */
  readonly picture: (name: string) => Promise<void>;
  /** The text of the question that is open, once it matches. */
  readonly asked: (prompt: RegExp) => Promise<string>;
  /** The text of the modal, once there is one. */
  readonly dialog: () => Promise<string>;
  /** Waits for a notification. */
  readonly told: (message: RegExp, seconds: number) => Promise<void>;
}

export function personAt(window: () => VSCodeUnderTest): Person {
  return {
    picture: async (name) => {
      const vscode = window();
      await vscode.screenshot(`${name}-dark`);
      await vscode.setTheme('light');
      await vscode.screenshot(`${name}-light`);
      await vscode.setTheme('dark');
    },
    asked: async (prompt) => {
      let text = '';
      await eventually(`the question ${String(prompt)}`, 30, async () => {
        text = await window()
          .promptText()
          .catch(() => '');
        return prompt.test(text);
      });
      return text;
    },
    dialog: async () => {
      await window().page.locator('.monaco-dialog-box').waitFor();
      return window().dialogText();
    },
    told: (message, seconds) =>
      eventually(`the message ${String(message)}`, seconds, async () =>
        (await window().notifications()).some((text) => message.test(text)),
      ),
  };
}
