import type { ThemeKind } from './palette.ts';

/** The theme's kind and the few of its colours that the canvas needs; everything else is the style sheet's. */
export interface Theme {
  readonly kind: ThemeKind;
  readonly background: string;
  readonly foreground: string;
  readonly quiet: string;
  readonly error: string;
  readonly focus: string;
  readonly border: string;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const colour = (name: string, otherwise: string): string =>
    style.getPropertyValue(`--vscode-${name}`).trim() || otherwise;
  const kind = themeKind();
  const foreground = colour('foreground', kind === 'light' ? '#333333' : '#cccccc');
  return {
    kind,
    foreground,
    background: colour('editor-background', kind === 'light' ? '#ffffff' : '#1e1e1e'),
    quiet: colour('disabledForeground', '#888888'),
    error: colour('editorError-foreground', '#e51400'),
    focus: colour('focusBorder', '#007fd4'),
    border: colour('contrastBorder', foreground),
  };
}

function themeKind(): ThemeKind {
  const { classList } = document.body;
  if (classList.contains('vscode-high-contrast-light')) return 'highContrastLight';
  if (classList.contains('vscode-high-contrast')) return 'highContrast';
  return classList.contains('vscode-light') ? 'light' : 'dark';
}

/** VS Code changes the body's class and the root's style when the user chooses another theme. */
export function onThemeChange(listener: () => void): void {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
}
