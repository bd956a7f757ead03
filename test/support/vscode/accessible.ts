import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import type { VSCodeUnderTest } from '../launchVSCode.ts';

/** The document that an extension wrote, two frames deep in VS Code's page. */
const webview = ['iframe.webview.ready', '#active-frame', 'html'];

/** Asserts that axe finds nothing against the visible webview, in every kind of theme; the theme is dark afterwards. */
export async function assertAccessible(vscode: VSCodeUnderTest): Promise<void> {
  for (const theme of ['light', 'highContrast', 'highContrastLight', 'dark'] as const) {
    await vscode.setTheme(theme);
    const { violations, passes } = await new AxeBuilder({ page: vscode.page }).include(webview).analyze();
    const found = violations.map(({ id, nodes }) => [theme, id, ...nodes.map(({ html }) => html)]);
    assert.deepEqual(found, []);
    assert.ok(passes.length > 10, 'axe has seen the document');
  }
}
