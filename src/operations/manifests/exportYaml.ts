import { stringify } from 'yaml';

import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { shapeText, type DeployAnswers } from './answers.ts';
import { neededSecrets } from './facts.ts';
import { withState } from './preflight.ts';
import { renderManifests } from './render.ts';

/**
 * The YAML of all that a deployment applies, the long texts last but for the pods that mount them. Secrets are not in
 * it: the pods name the ones that they need, and so does the comment at its head.
 * @param files the files of manifests/, by their paths in it
 */
export function exportYaml(files: ReadonlyMap<string, string>, answers: DeployAnswers): string {
  const objects = renderManifests(files, answers)
    .map((object) => withState(object, 'deployed'))
    .toSorted((one, other) => weight(one) - weight(other));
  // Kubernetes' tools read YAML 1.1, in which an unquoted no is false.
  const documents = objects.map((object) => stringify(object, { version: '1.1', lineWidth: 0 }));
  return head(answers) + documents.join('---\n');
}

function head(answers: DeployAnswers): string {
  const lines = [`Redis Cluster ${answers.name} in namespace ${answers.namespace}: ${shapeText(answers)}.`];
  for (const [secret, keys] of neededSecrets(answers))
    lines.push(`The pods need the Secret ${secret} (${keys.join(', ')}), which is not in this file.`);
  return lines.map((line) => `# ${line}\n`).join('');
}

function weight({ kind, metadata }: KubernetesObject): number {
  if (kind === 'StatefulSet') return 3;
  if (kind !== 'ConfigMap') return 0;
  return metadata.name.endsWith('-scripts') ? 2 : 1;
}
