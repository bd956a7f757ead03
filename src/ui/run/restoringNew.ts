import * as vscode from 'vscode';
import { describeRef, type KubernetesClusterRef } from '../../model/clusterRef.ts';
import { isAbort, messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { asSentence } from '../../model/unread.ts';
import { quantity } from '../../model/quantity.ts';
import { keysIn, type BackupFiles } from '../../operations/backups/readBackup.ts';
import { shapeToHold } from '../../operations/backups/newShape.ts';
import { prepareDeploy } from '../../operations/deploy.ts';
import { checkAnswers } from '../../operations/manifests/answers.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import type { Parts } from '../parts.ts';
import type { Asking } from '../questions/asking.ts';
import { askAnswers, givenAnswers, onTopOf } from '../questions/deployAnswers.ts';
import { lastBackup } from '../questions/lastBackup.ts';
import { placeOf } from '../questions/newPlace.ts';
import { folderAnswer, groupAnswer } from '../questions/target.ts';
import { revealNew } from '../revealNew.ts';
import { deployPlanned, type Deployment } from './deploying.ts';
import { readFolder, restoreInto } from './restoring.ts';

/** How a restore into a new cluster ended; the cluster is there, whole or not. */
export type RestoredNew = Outcome | (Outcome & PlanResult & { readonly cluster: KubernetesClusterRef });

const title = 'Restore into New Cluster';

/** Deploys a cluster with room for a backup, in the place that is answered or asked, and restores the backup into it. */
export async function restoreNew(
  parts: Parts,
  asking: Asking,
  askFolder: (title: string) => Promise<string>,
): Promise<RestoredNew> {
  const given = groupAnswer(asking.answers, 'into');
  const from = await asking.or(folderAnswer(asking.answers, 'from'), () => askFolder(title));
  const { path, cluster = 'redis-cluster' } = await lastBackup(from);
  const backup = await readFolder(parts, title, path);
  const asked = { suggestedName: cluster, answers: given };
  const { context, ...place } = await placeOf(parts, asking, title, asked);
  const access = await parts.inventory.access(context);
  const like = onTopOf(shapeToHold(backup), given);
  const rest = asking.isPerson ? await askAnswers(like, title) : givenAnswers(like);
  const answers = { ...place, ...rest };
  checkAnswers(answers);
  const planned = await prepareDeploy(access, await readManifestFiles(parts.extensionUri), answers);
  const then = `Then ${quantity(keysIn(backup), 'key')} of ${quantity(backup.files.length, 'file')} in ${path} are restored into it.`;
  // One question for both.
  const plan = { ...planned, warnings: [...planned.warnings, then] };
  const result = await restoreIntoNew(parts, asking, { access, answers, plan }, backup);
  if (result.outcome !== 'done') return result;
  if (asking.isPerson) void vscode.window.showInformationMessage(result.message);
  void revealNew(parts, plan.ref, asking.isPerson);
  return result;
}

/**
 * Deploys a cluster and writes the keys of a backup into it.
 * @param isKept whether the new cluster stays where the restore fails, which the UserError then says
 */
export async function restoreIntoNew(
  parts: Parts,
  asking: Asking,
  deployment: Deployment,
  backup: BackupFiles,
  isKept = true,
): Promise<RestoredNew> {
  const { ref } = deployment.plan;
  const deployed = await deployPlanned(parts, asking, deployment);
  if (deployed.outcome !== 'done') return deployed;
  try {
    const snapshot = await parts.inventory.fresh(ref);
    return { ...(await restoreInto(parts, asking.confirmed(), snapshot, backup, 'empty')), cluster: ref };
  } catch (error) {
    if (isAbort(error) || !isKept) throw error;
    const stays = `The new cluster ${describeRef(ref)} stays. Delete it before you try again, or restore into it.`;
    const reason = error instanceof UserError ? error.reason : 'failed';
    throw new UserError(reason, `${asSentence(messageOf(error))} ${stays}`, { cause: error });
  }
}
