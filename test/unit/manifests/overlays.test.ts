import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';

import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { readKustomization } from '../../../src/operations/deploy/kustomize.ts';
import { manifestFiles, manifestFolder } from '../../support/manifestFiles.ts';

const files = manifestFiles();
const overlays = readdirSync(join(manifestFolder, 'overlays'));

/** What kubectl itself makes of a folder; skipped where it is missing, which continuous integration does not allow. */
function kubectlKustomize(t: TestContext, folder: string): readonly KubernetesObject[] | undefined {
  const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  if (error !== undefined) {
    assert.notEqual(process.env['CI'], 'true', 'kubectl is missing');
    t.skip('kubectl is missing');
    return undefined;
  }
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}

function sorted(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const key = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;
  return objects.toSorted((a, b) => key(a).localeCompare(key(b)));
}

for (const folder of ['', ...overlays.map((name) => join('overlays', name))]) {
  void test(`manifests/${folder} is read as kubectl reads it`, (t) => {
    const expected = kubectlKustomize(t, join(manifestFolder, folder));
    if (expected === undefined) return;
    assert.deepEqual(sorted(readKustomization(files, folder)), sorted(expected));
  });
}

const combinations = [
  ['production', 'metrics', 'servicemonitor'],
  ['valkey', 'dev', 'metrics'],
];
for (const components of combinations) {
  void test(`components are combined as kubectl combines them: ${components.join(', ')}`, (t) => {
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
    const expected = kubectlKustomize(t, join(folder, 'own'));
    if (expected === undefined) return;
    assert.deepEqual(sorted(readKustomization(files, '', paths)), sorted(expected));
  });
}

void test('what is not understood is an error, never left out', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['namePrefix: my-', /"namePrefix" in kustomization is not understood/],
    ['resources: [missing.yaml]', /no file x\/missing\.yaml/],
    ['configMapGenerator: [{name: c, literals: [a=b]}]', /"literals" in configMapGenerator/],
    ['configMapGenerator: [{name: c}]', /ends in a hash/],
    ['generatorOptions: {annotations: {a: b}}', /"annotations" in generatorOptions/],
    ['patches: [{patch: "[{op: remove, path: /spec}]", target: {kind: Service}}]', /"remove" in a JSON patch/],
    ['patches: [{patch: "[{op: add, path: /a/b, value: 1}]", target: {kind: Service}}]', /nowhere to add/],
    ['patches: [{patch: "[{op: add, path: /a, value: 1}]", target: {kind: Deployment}}]', /no object/],
    ['patches: [{patch: "[{op: add, path: /a, value: 1}]"}]', /needs a target/],
    ['patches: [{patch: "{kind: Service, metadata: {name: other}}"}]', /no object/],
    ['patches: [{patch: "{kind: Service, metadata: {name: redis-cluster, $patch: delete}}"}]', /"\$patch"/],
    ['patches: [{patch: "{kind: Service, metadata: {name: redis-cluster, new: [1]}}"}]', /the list "new"/],
  ];
  for (const [text, message] of cases) {
    const changed = new Map(files).set('x/kustomization.yaml', `kind: Component\n${text}\n`);
    assert.throws(() => readKustomization(changed, '', ['x']), message);
  }
});
