import * as vscode from 'vscode';
import { prepareDeploy } from '../../operations/deploy.ts';
import { checkAnswers, type DeployAnswers } from '../../operations/manifests/answers.ts';
import type { KubernetesClusterRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { askAnswers, givenAnswers } from '../questions/deployAnswers.ts';
import { placeOf } from '../questions/newPlace.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { revealNew } from '../revealNew.ts';
import { deployPlanned } from '../run/deploying.ts';
import { picked } from '../questions/target.ts';

const title = 'Deploy Cluster';

/** Deploys the bundled manifests and waits until every node of the new cluster has all slots covered. */
export async function deploy(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & { cluster: KubernetesClusterRef })> {
  const asking = new Asking(parts, argument);
  const { answers: given } = asking;
  const isAsked = ['context', 'namespace', 'name'].some((field) => given[field] === undefined);
  const files = await readManifestFiles(parts.extensionUri);
  const { context, ...place } = await placeOf(parts, asking, title, { suggestedName: 'redis-cluster' });
  const access = await parts.inventory.access(context);
  const rest = isAsked ? await askAnswers(given, title) : givenAnswers(given);
  const answers: DeployAnswers = { ...place, ...rest };
  checkAnswers(answers);
  const plan = await prepareDeploy(access, files, answers, isAsked ? askToAdopt : undefined);
  const result = await deployPlanned(parts, asking, { access, answers, plan });
  if (result.outcome !== 'done') return result;
  void revealNew(parts, plan.ref, isAsked);
  return { ...result, cluster: plan.ref };
}

/** True, or an AbortError: what else can be done about the volumes is done elsewhere. */
async function askToAdopt(volumes: readonly string[]): Promise<boolean> {
  const message = `Volumes of an earlier cluster with the same name, shape and password still exist: ${someOf(volumes)}.`;
  const detail =
    'The new cluster can reuse them with all their keys. To start empty, cancel, then choose another name or delete the volumes.';
  await picked(vscode.window.showWarningMessage(message, { modal: true, detail }, 'Reuse Volumes'));
  return true;
}

function someOf(names: readonly string[]): string {
  const rest = names.length - 6;
  return rest < 2 ? names.join(', ') : `${names.slice(0, 6).join(', ')} and ${rest} more`;
}
