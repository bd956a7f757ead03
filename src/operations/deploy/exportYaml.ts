import { stringify } from 'yaml';

import type { DeployAnswers } from './answers.ts';
import { withState } from './preflight.ts';
import { renderManifests } from './render.ts';

/**
 * The YAML of all that a deployment applies. Secrets are not in it: the pods name the ones that they need.
 * @param files the files of manifests/, by their paths in it
 */
export function exportYaml(files: ReadonlyMap<string, string>, answers: DeployAnswers): string {
  const objects = renderManifests(files, answers).map((object) => withState(object, 'deployed'));
  // Kubernetes' tools read YAML 1.1, in which an unquoted no is false.
  return objects.map((object) => stringify(object, { version: '1.1', lineWidth: 0 })).join('---\n');
}
