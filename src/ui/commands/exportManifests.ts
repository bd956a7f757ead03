import * as vscode from 'vscode';
import { checkAnswers, type DeployAnswers } from '../../operations/manifests/answers.ts';
import { exportYaml } from '../../operations/manifests/exportYaml.ts';
import { neededSecrets } from '../../operations/manifests/facts.ts';
import type { Outcome } from '../../model/outcome.ts';
import { ask, askAnswers, givenAnswers } from '../questions/deployAnswers.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import type { Parts } from '../parts.ts';
import { answersOf, rowTarget, textAnswer } from '../questions/target.ts';

const title = 'Export Manifests';

/** Opens exactly what Deploy Cluster… would apply, for people who apply it themselves. Asks no Kubernetes. */
export async function exportManifests(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { readonly yaml: string }> {
  const given = answersOf(parts, argument);
  const target = rowTarget(parts, argument);
  const isAsked = ['namespace', 'name'].some((field) => given[field] === undefined);
  const own = target?.kind === 'namespace' ? target.namespace : textAnswer(given, 'namespace');
  const place = {
    namespace: own ?? (await ask(title, 'Namespace to write into the manifests', 'default')),
    name: textAnswer(given, 'name') ?? (await ask(title, 'Name of the cluster', 'redis-cluster')),
  };
  const rest = isAsked ? await askAnswers(given, title) : givenAnswers(given);
  const answers: DeployAnswers = { ...place, ...rest };
  checkAnswers(answers);
  const yaml = exportYaml(await readManifestFiles(parts.extensionUri), answers);
  await vscode.window.showTextDocument(
    await vscode.workspace.openTextDocument({ language: 'yaml', content: yaml }),
  );
  const secrets = [...neededSecrets(answers)].map(([name, keys]) => `${name} (${keys.join(', ')})`);
  const needs =
    secrets.length === 0
      ? ''
      : ` They need ${secrets.length === 1 ? 'the Secret' : 'the Secrets'} ${secrets.join(' and ')}.`;
  const message = `The manifests of ${answers.name} are open.${needs}`;
  if (isAsked) void vscode.window.showInformationMessage(message);
  return { outcome: 'done', message, yaml };
}
