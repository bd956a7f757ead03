import * as vscode from 'vscode';
import { clusterKey } from '../../model/clusterRef.ts';
import type { Element } from './clusterTree.ts';
import type { RowTarget } from './row.ts';

const mimeType = 'application/vnd.code.tree.rediscluster.clusters';

/** Dragging a replica onto a master, or onto the row of its shard, shows the plan that moves it there. */
export function dropReplicas(
  targetOf: (element: Element) => RowTarget | undefined,
): vscode.TreeDragAndDropController<Element> {
  return {
    dragMimeTypes: [mimeType],
    dropMimeTypes: [mimeType],
    handleDrag: ([element, ...others], dragged) => {
      // A plan moves one replica.
      const target = element === undefined || others.length > 0 ? undefined : targetOf(element);
      if (target?.kind === 'node') dragged.set(mimeType, new vscode.DataTransferItem(target));
    },
    handleDrop: async (element, dragged) => {
      const onto = element === undefined ? undefined : targetOf(element);
      const value: unknown = dragged.get(mimeType)?.value;
      if (onto?.kind !== 'node' || !isNode(value) || value.nodeId === onto.nodeId) return;
      if (clusterKey(value.ref) !== clusterKey(onto.ref)) return;
      const answers = { cluster: onto.ref, node: value.nodeId, master: onto.nodeId, ask: true };
      await vscode.commands.executeCommand('redisCluster.replicate', answers);
    },
  };
}

function isNode(value: unknown): value is RowTarget & { readonly kind: 'node' } {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'node';
}
