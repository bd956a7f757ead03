import * as vscode from 'vscode';
import type { ClusterTree } from './tree/clusterTree.ts';

const last = new Map<string, unknown>();

/** Tells VS Code what menus, welcome texts and the walkthrough depend on; only when it changes. */
export function setContextKey(name: string, value: unknown): void {
  if (last.get(name) === value) return;
  last.set(name, value);
  void vscode.commands.executeCommand('setContext', `redisCluster.${name}`, value);
}

/**
 * Keeps the keys that follow from what the tree shows, and the view whose text they choose.
 * @param isRead whether it is known which contexts and addresses there are
 */
export function followTree(tree: ClusterTree, isRead: () => boolean): vscode.Disposable {
  const texts = vscode.window.registerTreeDataProvider('redisCluster.start', {
    getChildren: () => [],
    getTreeItem: () => new vscode.TreeItem(''),
  });
  const drawn = tree.onDidDraw(() => {
    setContextKey('welcome', isRead() ? tree.welcome() : undefined);
    const isConnected = tree.healths().some(({ isSandbox, state }) => !isSandbox && state !== 'unreachable');
    if (isConnected) setContextKey('hasOwnCluster', true);
  });
  return vscode.Disposable.from(texts, drawn);
}
