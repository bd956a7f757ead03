import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readKustomization } from '../../../src/operations/manifests/kustomize.ts';
import { manifestFiles } from '../../support/manifestFiles.ts';

const files = manifestFiles();

test('what is not understood is an error, never left out', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['namePrefix: my-', /"namePrefix" in kustomization is not understood/],
    ['resources: [missing.yaml]', /no file x\/missing\.yaml/],
    ['configMapGenerator: [{name: c, literals: [a=b]}]', /"literals" in configMapGenerator/],
    ['configMapGenerator: [{name: c}]', /ends in a hash/],
    ['generatorOptions: {annotations: {a: b}}', /"annotations" in generatorOptions/],
    [
      'patches: [{patch: "[{op: remove, path: /spec}]", target: {kind: Service}}]',
      /"remove" in a JSON patch/,
    ],
    ['patches: [{patch: "[{op: add, path: /a/b, value: 1}]", target: {kind: Service}}]', /nowhere to add/],
    ['patches: [{patch: "[{op: move, from: /a, path: /b}]", target: {kind: Service}}]', /no "a" to move/],
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
