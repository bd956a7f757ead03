import * as vscode from 'vscode';
import type { ClusterTree, Element } from './clusterTree.ts';
import { dropReplicas } from './dropReplicas.ts';

/** The view that VS Code is given when it starts, and how it is told what its tree has drawn. */
export interface ClusterView {
  readonly view: vscode.TreeView<Element>;
  readonly changes: vscode.EventEmitter<Element | Element[] | undefined>;
  readonly dispose: () => void;
}

/**
 * Makes the view of the clusters.
 * @param load the tree with all that it needs, when VS Code first asks for a row: when somebody looks at the view
 */
export function createClusterView(load: () => Promise<ClusterTree>): ClusterView {
  const changes = new vscode.EventEmitter<Element | Element[] | undefined>();
  let tree: ClusterTree | undefined;
  const loaded = async (): Promise<ClusterTree> => (tree ??= await load());
  const view = vscode.window.createTreeView('redisCluster.clusters', {
    treeDataProvider: {
      onDidChangeTreeData: changes.event,
      getChildren: async (element) => (await loaded()).getChildren(element),
      getTreeItem: async (element) => (await loaded()).getTreeItem(element),
      getParent: async (element) => (await loaded()).getParent(element),
      resolveTreeItem: async (item, element) => (await loaded()).resolveTreeItem(item, element),
    },
    showCollapseAll: true,
    canSelectMany: true,
    dragAndDropController: dropReplicas((element) => tree?.target(element)),
  });
  return {
    view,
    changes,
    dispose: () => {
      view.dispose();
      changes.dispose();
    },
  };
}
