import * as vscode from 'vscode';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { isSameCluster } from '../health/statusBar.ts';
import type { Parts } from '../parts.ts';
import { clusterOf, knownClusters, namesCluster, picked } from '../target.ts';

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
  const items: Choice[] = knownClusters(parts).map(({ ref, name }) => ({
    label: name,
    description: isKubernetesRef(ref) ? `${ref.context} · ${ref.namespace}` : ref.addresses.join(', '),
    ...(isSameCluster(chosen, ref) ? { detail: 'In the status bar now' } : {}),
    choose: () => showInStatusBar(parts, { cluster: ref }),
  }));
  const ofChosen: readonly Choice[] =
    chosen === undefined
      ? []
      : [
          {
            label: `$(list-tree) Show ${parts.inventory.titleOf(chosen)} in the Tree`,
            choose: async () => {
              await parts.tree.reveal(chosen);
              return { outcome: 'done', message: 'Its row is selected.' };
            },
          },
          {
            label: '$(eye-closed) Show No Cluster',
            choose: async () => {
              await parts.statusBar.choose(undefined);
              return { outcome: 'done', message: 'The status bar shows no cluster.' };
            },
          },
        ];
  const options = { title: 'Show in Status Bar', placeHolder: 'Select a cluster' };
  return await (await picked(vscode.window.showQuickPick([...ofChosen, ...items], options))).choose();
}
