import * as vscode from 'vscode';
import { formatAddress, isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { Parts } from '../parts.ts';
import { namesCluster, nodeOf, picked, readClusters } from '../questions/target.ts';

/** Selects a node in the tree: one of all clusters that have been read, by its name, id, pod or address. */
export async function goToNode(parts: Parts, argument: unknown): Promise<Outcome> {
  const { ref, nodeId, name } = namesCluster(parts, argument)
    ? await named(parts, argument)
    : await pickOfAll(parts);
  await parts.tree.reveal(ref, nodeId);
  return { outcome: 'done', message: `Selected ${name} in the tree.` };
}

interface Found {
  readonly ref: ClusterRef;
  readonly nodeId: string;
  readonly name: string;
}

async function named(parts: Parts, argument: unknown): Promise<Found> {
  const { snapshot, node } = await nodeOf(parts, argument);
  return { ref: snapshot.ref, nodeId: node.id, name: nodeName(node) };
}

async function pickOfAll(parts: Parts): Promise<Found> {
  const items = readClusters(parts).flatMap((snapshot) =>
    snapshot.nodes.map((node) => ({
      label: nodeName(node),
      description: [node.role, parts.inventory.titleOf(snapshot.ref), machineOf(snapshot, node.pod?.worker)]
        .filter((text) => text !== '')
        .join(' · '),
      detail: `${node.id} ${formatAddress(node)}`,
      found: { ref: snapshot.ref, nodeId: node.id, name: nodeName(node) },
    })),
  );
  if (items.length === 0) {
    throw new UserError(
      'not-found',
      'No cluster has been read yet. Expand a context in the Redis Cluster view first.',
    );
  }
  const options = {
    title: 'Go to Node',
    placeHolder: 'Enter part of the name, node id or address',
    matchOnDescription: true,
    matchOnDetail: true,
  };
  return (await picked(vscode.window.showQuickPick(items, options))).found;
}

function machineOf({ ref }: ClusterSnapshot, worker: string | undefined): string {
  return isKubernetesRef(ref) ? (worker ?? '') : '';
}
