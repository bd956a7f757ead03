import * as vscode from 'vscode';
import { describeRef, isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { isSameCluster } from '../health/statusBar.ts';
import type { Parts } from '../parts.ts';
import { clusterOf, knownClusters, namesCluster, picked } from '../questions/target.ts';

/** Selects the cluster that the status bar shows, from then on also while the view is hidden. */
export async function showInStatusBar(parts: Parts, argument: unknown): Promise<Outcome> {
  if (!namesCluster(parts, argument)) return await ask(parts);
  const ref = await clusterOf(parts, argument);
  await parts.statusBar.choose(ref);
  return { outcome: 'done', message: `${parts.inventory.titleOf(ref)} is shown in the status bar.` };
}

interface Choice extends vscode.QuickPickItem {
  readonly choose: () => Promise<Outcome>;
}

async function ask(parts: Parts): Promise<Outcome> {
  const { chosen } = parts.statusBar;
  const options = { title: 'Show in Status Bar', placeHolder: 'Select a cluster' };
  const clusters = knownClusters(parts)
    .filter(({ ref }) => !isSameCluster(chosen, ref))
    .map(({ ref, name }): Choice => ({
      label: name,
      description: isKubernetesRef(ref) ? `${ref.context} · ${ref.namespace}` : describeRef(ref),
      choose: () => showInStatusBar(parts, { cluster: ref }),
    }));
  const items = [...(chosen === undefined ? [] : ofChosen(parts, chosen)), ...clusters];
  if (items.length === 0) return await showInStatusBar(parts, { cluster: await clusterOf(parts, undefined) });
  return await (await picked(vscode.window.showQuickPick(items, options))).choose();
}

function ofChosen(parts: Parts, chosen: ClusterRef): readonly Choice[] {
  const name = parts.inventory.titleOf(chosen);
  return [
    {
      label: `$(list-tree) Show ${name} in the Tree`,
      choose: async () => {
        await parts.tree.reveal(chosen);
        return { outcome: 'done', message: `${name} is selected in the tree.` };
      },
    },
    {
      label: `$(eye-closed) Hide ${name}`,
      description: 'It is then read only while a view shows it',
      choose: async () => {
        await parts.statusBar.choose(undefined);
        return { outcome: 'done', message: 'The status bar shows no cluster.' };
      },
    },
  ];
}
