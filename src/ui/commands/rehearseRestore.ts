import * as vscode from 'vscode';
import { isKubernetesRef, parseClusterRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { shapeToRehearse } from '../../operations/backups/newShape.ts';
import {
  findRehearsal,
  makeRehearsal,
  rehearsalName,
  removeRehearsal,
  type RehearsalNamespace,
} from '../../operations/backups/rehearsal.ts';
import { keysIn, type BackupFiles } from '../../operations/backups/readBackup.ts';
import { prepareDeploy } from '../../operations/deploy.ts';
import { checkAnswers, shapeText, type DeployAnswers } from '../../operations/manifests/answers.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import type { Parts } from '../parts.ts';
import { Asking } from '../questions/asking.ts';
import { givenAnswers, onTopOf } from '../questions/deployAnswers.ts';
import { lastBackup, noteRehearsal, type KnownBackup } from '../questions/lastBackup.ts';
import { contextOf } from '../questions/newPlace.ts';
import { folderAnswer, picked } from '../questions/target.ts';
import { readFolder } from '../run/restoring.ts';
import { restoreIntoNew, type RestoredNew } from '../run/restoringNew.ts';
import { confirm, notRun } from '../run/runOperation.ts';
import { dismissAllOf } from '../run/unfinished.ts';
import { waiting } from '../run/waiting.ts';

const title = 'Rehearse Restore';
/** The name of the throw-away cluster. */
const name = 'rehearsal';

/** Restores a backup into a cluster that is made for it and removed again, and notes in the backup that it can be restored. */
export async function rehearseRestore(parts: Parts, argument: unknown): Promise<Outcome | RestoredNew> {
  const asking = new Asking(parts, argument);
  const { answers } = asking;
  const known = await lastBackup(await asking.or(folderAnswer(answers, 'from'), askFolder));
  const context = clusterContext(asking) ?? (await contextOf(parts, asking, title));
  const access = await parts.inventory.access(context);
  const namespace = rehearsalName(known.cluster ?? 'redis');
  const left = await findRehearsal(access, namespace);
  const backup = await readFolder(parts, title, known.path);
  const shape = givenAnswers(onTopOf(shapeToRehearse(backup), answers));
  const all: DeployAnswers = { ...shape, namespace, name };
  checkAnswers(all);
  const planned = planOf(context, all, backup, left);
  const { plan, decision, isShown } = await confirm(parts, { plan: planned, asking, verb: 'Rehearse' });
  if (decision !== 'run') return notRun(plan, decision);
  if (left !== undefined) await removing(access, left);
  const result = await rehearsed(parts, asking.confirmed(), { access, answers: all, backup, known });
  if (isShown && result.outcome === 'done') void vscode.window.showInformationMessage(result.message);
  return result;
}

interface Rehearsal {
  readonly access: KubernetesAccess;
  readonly answers: DeployAnswers;
  readonly backup: BackupFiles;
  readonly known: KnownBackup;
}

/** Whatever comes of it, the namespace is removed with all in it. */
async function rehearsed(
  parts: Parts,
  asking: Asking,
  { access, answers, backup, known }: Rehearsal,
): Promise<Outcome | RestoredNew> {
  const { namespace } = answers;
  const made = await makeRehearsal(access, namespace);
  let result: RestoredNew;
  try {
    const plan = await prepareDeploy(access, await readManifestFiles(parts.extensionUri), answers);
    result = await restoreIntoNew(parts, asking, { access, answers, plan }, backup, false);
  } finally {
    await removing(access, made);
    await dismissAllOf(parts, { context: access.context, namespace, name });
  }
  const gone = `Namespace ${namespace} was deleted.`;
  if (result.outcome !== 'done' || !('movedKeys' in result))
    return { ...result, message: `${result.message} ${gone}` };
  await noteRehearsal(known, new Date());
  const { movedKeys, comparedValues = 0, seconds } = result;
  const message = `${backup.folder} can be restored: ${quantity(movedKeys, 'key')} in ${seconds.toFixed(1)} s, and ${quantity(comparedValues, 'value')} compared with the files, all equal. ${gone}`;
  return { outcome: 'done', message, movedKeys, comparedValues, seconds };
}

async function removing(access: KubernetesAccess, namespace: RehearsalNamespace): Promise<void> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `${title}: deleting namespace ${namespace.name}`,
  };
  await vscode.window.withProgress(options, () =>
    removeRehearsal(access, namespace, { ...waiting, signal: new AbortController().signal }),
  );
}

/** What is asked for before anything is made; each of its parts is a plan of its own afterwards. */
function planOf(
  context: string,
  answers: DeployAnswers,
  backup: BackupFiles,
  left: RehearsalNamespace | undefined,
): Plan {
  const { namespace } = answers;
  return {
    title: `Rehearse the restore of ${backup.folder}`,
    ref: { context, namespace, name },
    operation: 'rehearseRestore',
    request: {},
    steps: [],
    warnings: [
      ...(left === undefined
        ? []
        : [`An earlier rehearsal was interrupted: namespace ${namespace} is deleted first, with all in it.`]),
      `Namespace ${namespace} is created, and a cluster is deployed in it: ${shapeText(answers)}, with ${answers.memory ?? '256Mi'} of memory each.`,
      `${quantity(keysIn(backup), 'key')} of ${quantity(backup.files.length, 'file')} are restored into it and compared with the files.`,
      `Namespace ${namespace} is then deleted with all in it.`,
    ],
    losses: [],
  };
}

/** The context of the cluster that the row or the answers name. */
function clusterContext({ target, answers }: Asking): string | undefined {
  const ref =
    target !== undefined && 'ref' in target
      ? target.ref
      : answers['cluster'] === undefined || answers['cluster'] === 'sandbox'
        ? undefined
        : parseClusterRef(answers['cluster']);
  return ref !== undefined && isKubernetesRef(ref) ? ref.context : undefined;
}

async function askFolder(): Promise<string> {
  const options = { canSelectFolders: true, canSelectFiles: false, title, openLabel: 'Rehearse This Backup' };
  const [folder] = await picked(vscode.window.showOpenDialog(options));
  return await picked(Promise.resolve(folder?.fsPath));
}
