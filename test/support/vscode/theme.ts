import type * as VSCode from 'vscode';
import type { HostBridge } from './hostBridge.ts';

export type ThemeKind = 'light' | 'dark' | 'highContrast' | 'highContrastLight';

/** VS Code's names: what a theme declares, and the number that `activeColorTheme.kind` has. */
const themes = {
  light: { uiTheme: 'vs', kind: 1 },
  dark: { uiTheme: 'vs-dark', kind: 2 },
  highContrast: { uiTheme: 'hc-black', kind: 3 },
  highContrastLight: { uiTheme: 'hc-light', kind: 4 },
} as const;

/** Switches to VS Code's own theme of that kind; resolves once the extension host sees it. */
export async function setTheme(bridge: HostBridge, kind: ThemeKind): Promise<void> {
  await bridge.evaluate(applyTheme.toString(), themes[kind]);
}

/** Runs in the extension host: the ids of the themes differ between versions of VS Code, their kinds do not. */
async function applyTheme(
  vscode: typeof VSCode,
  wanted: { readonly uiTheme: string; readonly kind: VSCode.ColorThemeKind },
): Promise<void> {
  interface Theme {
    readonly id: string;
    readonly uiTheme: string;
  }
  const manifest = vscode.extensions.getExtension('vscode.theme-defaults')?.packageJSON as {
    contributes: { themes: readonly Theme[] };
  };
  const fitting = manifest.contributes.themes.filter((theme) => theme.uiTheme === wanted.uiTheme);
  const theme = fitting.find(({ id }) => id.includes('Modern')) ?? fitting[0];
  const { Global } = vscode.ConfigurationTarget;
  await vscode.workspace.getConfiguration('workbench').update('colorTheme', theme?.id, Global);
  const until = Date.now() + 10_000;
  while (vscode.window.activeColorTheme.kind !== wanted.kind) {
    if (Date.now() > until) throw new Error(`VS Code did not switch to ${theme?.id ?? wanted.uiTheme}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
