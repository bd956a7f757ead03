import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { describeRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { chooseSources } from '../../operations/backup.ts';
import { shapeLike } from '../../operations/backups/newShape.ts';
import { prepareDeploy, type DeployPlan } from '../../operations/deploy.ts';
import { checkAnswers, type DeployAnswers } from '../../operations/manifests/answers.ts';
import { heldKeys } from '../../operations/restore.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import type { Parts } from '../parts.ts';
import { Asking } from '../questions/asking.ts';
import { backupFolder } from '../questions/backupFolder.ts';
import { askShape, givenAnswers, onTopOf } from '../questions/deployAnswers.ts';
import { folderPrefix } from '../questions/leftFolders.ts';
import { placeOf } from '../questions/newPlace.ts';
import { clusterOf, folderAnswer, groupAnswer, namesCluster, type Answers } from '../questions/target.ts';
import { copyTo } from '../run/backingUp.ts';
import type { Deployment } from '../run/deploying.ts';
import { readFolder } from '../run/restoring.ts';
import { restoreIntoNew, type RestoredNew } from '../run/restoringNew.ts';
import { confirm, notRun } from '../run/runOperation.ts';
import { revealNew } from '../revealNew.ts';

/** Makes a new cluster with the keys that another one has now. Changes nothing on the servers of that one. */
export async function cloneCluster(parts: Parts, argument: unknown): Promise<Outcome | RestoredNew> {
  const asking = new Asking(parts, argument);
  const named = namesCluster(parts, argument) ? await clusterOf(parts, argument) : undefined;
  const source = await parts.inventory.fresh(await asking.or(named, () => clusterOf(parts, argument)));
  const title = `Clone ${parts.inventory.titleOf(source.ref)}`;
  // Refused before anybody is asked.
  const { warnings } = chooseSources(source, false);
  const via = folderAnswer(asking.answers, 'via');
  const answers = groupAnswer(asking.answers, 'to');
  const { context, ...place } = await placeOf(parts, asking, title, {
    ...{ suggestedName: `${source.name}-clone`, answers },
  });
  const access = await parts.inventory.access(context);
  const rest = await shapeOf(source, answers, asking, title);
  const all: DeployAnswers = { ...place, ...rest };
  checkAnswers(all);
  const planned = await prepareDeploy(access, await readManifestFiles(parts.extensionUri), all);
  const deployment = { access, answers: all, plan: withNotes(planned, source, warnings) };
  const { plan, decision, isShown } = await confirm(parts, { ...deployment, asking, verb: 'Clone' });
  if (decision !== 'run') return notRun(plan, decision);
  const result = await cloned(parts, asking.confirmed(), { source, title, via, deployment });
  if (result.outcome !== 'done') return result;
  if (isShown) void vscode.window.showInformationMessage(result.message);
  void revealNew(parts, plan.ref, isShown);
  return result;
}

interface Clone {
  readonly source: ClusterSnapshot;
  readonly title: string;
  /** Where the copy rests until it is restored; the folder for temporary files where it is not said. */
  readonly via: string | undefined;
  readonly deployment: Deployment;
}

/** The copy is read to its end before there is a new cluster, and is gone afterwards, however it ends. */
async function cloned(
  parts: Parts,
  asking: Asking,
  { source, title, via, deployment }: Clone,
): Promise<Outcome | RestoredNew> {
  const parent = await mkdtemp(via === undefined ? `${folderPrefix()}clone-` : join(via, 'redis-clone-'));
  try {
    const folder = backupFolder(parent, source.name, new Date());
    const copying = { snapshot: source, evenPartly: false, pausesWrites: false, folder, title };
    if ((await copyTo(parts, copying)) === undefined)
      return { outcome: 'cancelled', message: `${title}: cancelled. There is no new cluster.` };
    const backup = await readFolder(parts, title, folder.path);
    const result = await restoreIntoNew(parts, asking, deployment, backup);
    if (result.outcome !== 'done' || !('movedKeys' in result)) return result;
    const { movedKeys, comparedValues = 0 } = result;
    const to = describeRef(deployment.plan.ref);
    const message = `${source.name} was cloned to ${to}: ${quantity(movedKeys, 'key')}; ${quantity(comparedValues, 'value')} compared, all equal.`;
    return { ...result, message };
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

function withNotes(plan: DeployPlan, source: ClusterSnapshot, warnings: readonly string[]): DeployPlan {
  const notes = [
    `First, all shards of ${describeRef(source.ref)} are copied to a folder of this computer that only you can read. Then the new cluster is deployed, the copy with its ${quantity(heldKeys(source), 'key')} is restored into it, and the folder is removed.`,
    'Keys that clients write meanwhile are not in the clone.',
  ];
  return {
    ...plan,
    title: `Clone ${source.name}: ${plan.title.replace(/^D/, 'd')}`,
    warnings: [...notes, ...warnings, ...plan.warnings],
  };
}

async function shapeOf(
  source: ClusterSnapshot,
  given: Answers,
  asking: Asking,
  title: string,
): Promise<Omit<DeployAnswers, 'namespace' | 'name'>> {
  const like = shapeLike(source);
  const shape =
    asking.isPerson && given['masters'] === undefined ? await askShape(title, shapeText(like)) : {};
  return givenAnswers(onTopOf({ ...like, ...shape }, given));
}

function shapeText({ masters, replicasPerMaster }: ReturnType<typeof shapeLike>): string {
  return `${masters} x ${replicasPerMaster}`;
}
