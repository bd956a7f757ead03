import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { heldKeys, planRestore, probeMasters, type RestoreMode } from '../../operations/restore.ts';
import { readBackup, type BackupFiles } from '../../operations/backups/readBackup.ts';
import { Asking } from '../questions/asking.ts';
import { folderFiles } from '../folderFiles.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { progressText } from '../run/runWithProgress.ts';
import { picked, textAnswer } from '../questions/target.ts';

const modes: readonly string[] = ['empty', 'merge', 'replace'] satisfies RestoreMode[];

/** Writes the keys of a backup into a cluster of any shape. */
export async function restore(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const title = `Restore ${parts.inventory.titleOf(snapshot.ref)}`;
  const given = textAnswer(asking.answers, 'from');
  if (given !== undefined && !isAbsolute(given))
    throw new UserError('invalid-input', `"from" is not the absolute path of a folder: ${given}`);
  const from = await asking.or(given, () => askFolder(title));
  const backup = await reading(parts, title, from);
  const held = heldKeys(snapshot);
  const mode =
    held === 0
      ? (modeIn(asking) ?? 'empty')
      : await asking.or(modeIn(asking), () => askMode(title, snapshot.name, held));
  const redis = await parts.adapters.redis();
  const plan = planRestore(snapshot, backup, mode, redis);
  const dialer = await parts.inventory.dialer(snapshot.ref);
  await probeMasters(snapshot, backup, mode !== 'replace', { dialer, redis });
  return runPlanned(parts, {
    ...{ plan, asking, verb: 'Restore' },
    message: ({ movedKeys, comparedValues = 0, seconds, cancelled }) =>
      cancelled
        ? `Restored ${quantity(movedKeys, 'key')} of the backup; run it again to resume`
        : `Restored ${quantity(movedKeys, 'key')} into ${snapshot.name} in ${seconds.toFixed(1)} s; ${quantity(comparedValues, 'value')} compared with the files, all equal`,
  });
}

function modeIn({ answers }: Asking): RestoreMode | undefined {
  const value = textAnswer(answers, 'mode');
  if (value === undefined || isMode(value)) return value;
  throw new UserError('invalid-input', `"mode" must be one of ${modes.join(', ')}.`);
}

function isMode(value: string): value is RestoreMode {
  return modes.includes(value);
}

/** Every file is read to its end first: what is damaged changes nothing. */
async function reading({ adapters }: Parts, title: string, folder: string): Promise<BackupFiles> {
  const redis = await adapters.redis();
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return await vscode.window.withProgress(options, (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => {
      stop.abort();
    });
    return readBackup(folder, {
      ...{ redis, files: folderFiles, signal: stop.signal },
      report: (step) => {
        progress.report({ message: progressText(step) });
      },
    });
  });
}

async function askFolder(title: string): Promise<string> {
  const options = { canSelectFolders: true, canSelectFiles: false, title, openLabel: 'Restore This Backup' };
  const [folder] = await picked(vscode.window.showOpenDialog(options));
  return await picked(Promise.resolve(folder?.fsPath));
}

async function askMode(title: string, name: string, held: number): Promise<RestoreMode> {
  const items: readonly (vscode.QuickPickItem & { readonly mode: RestoreMode })[] = [
    {
      ...{ mode: 'merge', label: 'Keep them', description: 'add only the keys that the cluster lacks' },
    },
    { mode: 'replace', label: 'Delete them first', description: `all ${quantity(held, 'key')}` },
  ];
  const placeHolder = `${name} holds ${quantity(held, 'key')}. What should happen to them?`;
  return (await picked(vscode.window.showQuickPick(items, { title, placeHolder }))).mode;
}
