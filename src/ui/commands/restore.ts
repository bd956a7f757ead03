import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { heldKeys, type RestoreMode } from '../../operations/restore.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { folderAnswer, picked, textAnswer } from '../questions/target.ts';
import { readFolder, restoreInto } from '../run/restoring.ts';
import { restoreNew } from '../run/restoringNew.ts';
import type { RowTarget } from '../tree/row.ts';

const modes: readonly string[] = ['empty', 'merge', 'replace'] satisfies RestoreMode[];

/** Writes the keys of a backup into a cluster of any shape, or into a new one that it deploys. */
export async function restore(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  if (asking.answers['into'] !== undefined || isPlace(asking.target))
    return await restoreNew(parts, asking, askFolder);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const title = `Restore ${parts.inventory.titleOf(snapshot.ref)}`;
  const backup = await readFolder(
    parts,
    title,
    await asking.or(folderAnswer(asking.answers, 'from'), () => askFolder(title)),
  );
  const held = heldKeys(snapshot);
  const mode =
    held === 0
      ? (modeIn(asking) ?? 'empty')
      : await asking.or(modeIn(asking), () => askMode(title, snapshot.name, held));
  return await restoreInto(parts, asking, snapshot, backup, mode);
}

/** Where a new cluster can be, rather than one that is there. */
function isPlace(target: RowTarget | undefined): boolean {
  return target?.kind === 'context' || target?.kind === 'namespace';
}

function modeIn({ answers }: Asking): RestoreMode | undefined {
  const value = textAnswer(answers, 'mode');
  if (value === undefined || isMode(value)) return value;
  throw new UserError('invalid-input', `"mode" must be one of ${modes.join(', ')}.`);
}

function isMode(value: string): value is RestoreMode {
  return modes.includes(value);
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
