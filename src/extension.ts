import { join } from 'node:path';
import * as vscode from 'vscode';
import type { assemble, Assembled } from './assemble.ts';
import { Documents } from './ui/documents.ts';
import { journalFiles } from './ui/run/journalFiles.ts';
import { removeLeftFolders } from './ui/questions/leftFolders.ts';
import { offerPlanLenses } from './ui/run/planLenses.ts';
import { slotMapViewType, statusBarClusterKey } from './ui/storedNames.ts';
import { createClusterView } from './ui/tree/clusterView.ts';

const prefix = 'redisCluster.';

/**
 * Gives VS Code what it may ask for, and loads the rest when it does: an editor that starts waits for none of it. No
 * server and no API is asked anything before a view needs it.
 */
export function activate(context: vscode.ExtensionContext): void {
  const load = (): Promise<Assembled> => {
    loaded ??= loadAssemble().then((make) => make(context, { view, documents, journals }));
    return loaded;
  };
  const view = createClusterView(async () => (await load()).tree);
  const documents = new Documents();
  const journals = journalFiles(join(context.globalStorageUri.fsPath, 'operations'));
  const { contributes } = context.extension.packageJSON as Manifest;
  context.subscriptions.push(
    view,
    documents,
    offerPlanLenses(),
    vscode.window.registerWebviewPanelSerializer(slotMapViewType, {
      deserializeWebviewPanel: async (panel, state) => {
        (await load()).restoreSlotMap(panel, state);
      },
    }),
    ...contributes.commands.map(({ command }) =>
      vscode.commands.registerCommand(command, async (argument: unknown, selected: unknown) =>
        (await load()).run(command.slice(prefix.length), argument, selected),
      ),
    ),
  );
  const isShown = context.workspaceState.get(statusBarClusterKey) !== undefined || hasSandbox();
  if (isShown) void load();
  else void journals.list().then(({ length }) => (length > 0 ? load() : undefined), load);
  void removeLeftFolders();
}

let loaded: Promise<Assembled> | undefined;

/** Stops what runs at its next safe point, so that no hash slot stays open, no Lease held and no journal without an end. */
export async function deactivate(): Promise<void> {
  await (await loaded)?.end();
}

async function loadAssemble(): Promise<typeof assemble> {
  return (await import('./assemble.ts')).assemble;
}

/** `npm start` runs one beside the editor. */
function hasSandbox(): boolean {
  return (process.env['REDIS_CLUSTER_SANDBOX'] ?? '') !== '';
}

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}
