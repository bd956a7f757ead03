import * as vscode from 'vscode';
import { bytesText } from '../../model/bytes.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { chooseSources, longestPauseMs, type BackupResult } from '../../operations/backup.ts';
import { backupFolder, type BackupFolder } from '../questions/backupFolder.ts';
import type { Parts } from '../parts.ts';
import { copyTo } from '../run/backingUp.ts';
import { answersOf, clusterOf, folderAnswer, picked } from '../questions/target.ts';

/** Copies the data of all shards to a folder of this computer. Changes nothing on any server. */
export async function backup(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & BackupResult & { readonly folder: string })> {
  const snapshot = await parts.inventory.fresh(await clusterOf(parts, argument));
  const answers = answersOf(parts, argument);
  const evenPartly = answers['evenPartly'] === true;
  // Refused before anybody is asked where to.
  const { warnings } = chooseSources(snapshot, evenPartly);
  const given = folderAnswer(answers, 'to');
  const title = `Back up ${parts.inventory.titleOf(snapshot.ref)}`;
  const to = given ?? (await askFolder(title, warnings));
  const pausesWrites = given === undefined ? await askPause(title) : answers['pauseWrites'] === true;
  const folder = backupFolder(to, snapshot.name, new Date());
  const result = await copyTo(parts, { snapshot, evenPartly, pausesWrites, folder, title });
  if (result === undefined) {
    return { outcome: 'cancelled', message: `${title}: cancelled. What had been written was removed.` };
  }
  const { keys, bytes, shards, missingSlots } = result;
  const gaps = missingSlots === undefined ? '' : ` Slots ${missingSlots} are not in it.`;
  const message = `${snapshot.name} was backed up to ${folder.path}: ${quantity(keys, 'key')} of ${quantity(shards.length, 'shard')}, ${bytesText(bytes)}.${gaps}`;
  if (given === undefined) void told(message, folder);
  return { outcome: 'done', message, folder: folder.path, ...result };
}

/** Throws AbortError where nobody says where to. */
async function askFolder(title: string, warnings: readonly string[]): Promise<string> {
  if (warnings.length > 0) {
    const detail = warnings.join('\n');
    const answer = await vscode.window.showWarningMessage(`${title}?`, { modal: true, detail }, 'Back Up');
    await picked(Promise.resolve(answer));
  }
  const [folder] = await picked(
    vscode.window.showOpenDialog({
      ...{ canSelectFolders: true, canSelectFiles: false },
      ...{ title, openLabel: 'Back Up Here' },
    }),
  );
  return await picked(Promise.resolve(folder?.fsPath));
}

async function askPause(title: string): Promise<boolean> {
  const items: readonly (vscode.QuickPickItem & { readonly pauses: boolean })[] = [
    {
      pauses: false,
      label: 'Do Not Pause Writes',
      description: 'each shard is copied at a moment of its own',
    },
    {
      ...{
        pauses: true,
        label: 'Pause Writes Briefly',
        description: 'all shards are copied at the same moment',
      },
      detail: `Writes wait until every server has begun to send, ${longestPauseMs / 1000} s at most.`,
    },
  ];
  const placeHolder = 'Select whether clients may write while the backup begins';
  return (await picked(vscode.window.showQuickPick(items, { title, placeHolder }))).pauses;
}

async function told(message: string, { path }: BackupFolder): Promise<void> {
  const button = 'Show in Folder';
  if ((await vscode.window.showInformationMessage(message, button)) === button)
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(path));
}
