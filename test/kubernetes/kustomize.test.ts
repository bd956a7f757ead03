import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';

import type { KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { readKustomization } from '../../src/operations/manifests/kustomize.ts';
import { manifestFiles, manifestFolder } from '../support/manifestFiles.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';

const files = manifestFiles();
const overlays = readdirSync(join(manifestFolder, 'overlays'));
let kubernetes: TestKubernetes;
let kubectl: string;

before(async () => {
  kubernetes = await startKubernetes();
  kubectl = await kubernetes.findKubectl();
});

after(() => kubernetes.stop());

/** What kubectl itself makes of a folder. */
function kubectlKustomize(folder: string): readonly KubernetesObject[] {
  const { error, status, stdout, stderr } = spawnSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
  assert.ifError(error);
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}

function sorted(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const key = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;
  return objects.toSorted((a, b) => key(a).localeCompare(key(b)));
}

for (const folder of ['', ...overlays.map((name) => join('overlays', name))]) {
  test(`manifests/${folder} is read as kubectl reads it`, () => {
    const expected = kubectlKustomize(join(manifestFolder, folder));
    assert.deepEqual(sorted(readKustomization(files, folder)), sorted(expected));
  });
}

const combinations = [
  ['production', 'metrics', 'servicemonitor'],
  ['valkey', 'dev', 'metrics'],
];
for (const components of combinations) {
  test(`components are combined as kubectl combines them: ${components.join(', ')}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'combined-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const paths = components.map((name) => `components/${name}`);
    mkdirSync(join(folder, 'own'));
    symlinkSync(manifestFolder, join(folder, 'manifests'));
    const listed = (entries: readonly string[]): string =>
      entries.map((entry) => `  - ../manifests/${entry}\n`).join('');
    writeFileSync(
      join(folder, 'own/kustomization.yaml'),
      `resources:\n${listed([''])}components:\n${listed(paths)}`,
    );
    const expected = kubectlKustomize(join(folder, 'own'));
    assert.deepEqual(sorted(readKustomization(files, '', paths)), sorted(expected));
  });
}
