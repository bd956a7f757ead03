import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { claimOf } from '../../inventory/claims.ts';
import { bytesText } from '../../model/bytes.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { countText, type Report } from '../../model/progress.ts';
import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { backUp, chooseSources, type BackupResult } from '../../operations/backup.ts';
import { backupFolder, type BackupFolder } from '../backupFolder.ts';
import { asTheOnlyOne } from '../oneAtATime.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf, picked, textAnswer } from '../target.ts';

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
  const given = textAnswer(answers, 'to');
  if (given !== undefined && !isAbsolute(given))
    throw new UserError('invalid-input', `"to" is not the absolute path of a folder: ${given}`);
  const title = `Back up ${parts.inventory.titleOf(snapshot.ref)}`;
  const to = given ?? (await askFolder(title, warnings));
  const folder = backupFolder(to, snapshot.name, new Date());
  const result = await run(parts, { snapshot, evenPartly, folder, title });
  if (result === undefined) {
    return { outcome: 'cancelled', message: `${title}: cancelled. What had been written was removed.` };
  }
  const { keys, bytes, shards, missingSlots } = result;
  const gaps = missingSlots === undefined ? '' : ` Slots ${missingSlots} are not in it.`;
  const message = `${snapshot.name} was backed up to ${folder.path}: ${quantity(keys, 'key')} of ${quantity(shards.length, 'shard')}, ${bytesText(bytes)}.${gaps}`;
  if (given === undefined) void told(message, folder);
  return { outcome: 'done', message, folder: folder.path, ...result };
}

interface Copying {
  readonly snapshot: ClusterSnapshot;
  readonly evenPartly: boolean;
  readonly folder: BackupFolder;
  readonly title: string;
}

/** Undefined where it was cancelled. */
async function run(
  parts: Parts,
  { snapshot, evenPartly, folder, title }: Copying,
): Promise<BackupResult | undefined> {
  const { ref } = snapshot;
  const plan = { ref, title, operation: 'backup', request: {}, steps: [], warnings: [], losses: [] };
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const release = parts.inventory.need(claimOf(ref));
  const stop = new AbortController();
  try {
    return await vscode.window.withProgress(options, (progress, token) =>
      parts.operations.run(plan, async (signal, report) => {
        token.onCancellationRequested(() => parts.operations.cancel(ref));
        signal.addEventListener('abort', () => {
          stop.abort();
        });
        let shown = 0;
        const show: Report = (step) => {
          report(step);
          const percent = (100 * (step.done ?? 0)) / Math.max(1, step.total ?? 1);
          const message = [...countText(step), step.text].join(' · ');
          progress.report({ message, increment: Math.max(0, percent - shown) });
          shown = Math.max(shown, percent);
        };
        const dialer = await parts.inventory.dialer(ref);
        const redis = await parts.adapters.redis();
        return await asTheOnlyOne(parts, plan, signal, (shared) =>
          backUp(snapshot, evenPartly, {
            ...{ dialer, redis, report: show, signal: shared, clock: () => Date.now() },
            ...{ place: folder.place, discard: folder.discard },
            readSnapshot: () => parts.inventory.fresh(ref),
          }),
        );
      }),
    );
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    release();
  }
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

async function told(message: string, { path }: BackupFolder): Promise<void> {
  const button = 'Show in Folder';
  if ((await vscode.window.showInformationMessage(message, button)) === button)
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(path));
}
