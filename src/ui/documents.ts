import * as vscode from 'vscode';

const scheme = 'redis-cluster';

/** Read-only texts: a plan before it runs, the result of a check. */
export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changes.event;
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);

  /** Shows a text under a title; showing another under the same title replaces it in place. */
  async show(title: string, text: string, ending: 'txt' | 'md' = 'txt'): Promise<void> {
    const uri = vscode.Uri.from({ scheme, path: `/${title.replaceAll('/', '∕')}.${ending}` });
    this.#texts.set(uri.toString(), text);
    this.#changes.fire(uri);
    await vscode.window.showTextDocument(uri, { preview: true, preserveFocus: true });
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? 'This text is no longer available. Run the command again.';
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changes.dispose();
  }
}
