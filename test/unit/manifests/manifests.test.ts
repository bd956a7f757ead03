import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { readKustomization } from '../../../src/operations/manifests/kustomize.ts';
import { manifestFiles, manifestFolder } from '../../support/manifestFiles.ts';

const scripts = readdirSync(join(manifestFolder, 'scripts')).filter((name) => name.endsWith('.sh'));
const allScripts = [...manifestFiles().keys()].filter((path) => path.endsWith('.sh'));

/** As much of an object as these tests look at. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec?: Readonly<Record<string, unknown>>;
}

const objects = (readKustomization(manifestFiles(), '') as unknown as readonly Manifest[]).filter(
  ({ kind }) => kind !== 'ConfigMap',
);

/** Everything under a key of that name, wherever it stands. */
function allUnder(value: unknown, key: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner as unknown] : []),
    ...allUnder(inner, key),
  ]);
}

/** True where the program is there; without it the test is skipped, which continuous integration does not allow. */
function has(t: TestContext, program: string, debianPackage: string): boolean {
  if (spawnSync(program, ['--version']).error === undefined) return true;
  const what = `${program} is missing (Debian package ${debianPackage})`;
  assert.notEqual(process.env['CI'], 'true', what);
  t.skip(what);
  return false;
}

test('every object bears the name, the labels and the selector of the one cluster', () => {
  const instance = {
    'app.kubernetes.io/name': 'redis-cluster',
    'app.kubernetes.io/instance': 'redis-cluster',
  };
  for (const { kind, metadata, spec } of objects) {
    assert.match(metadata.name, /^redis-cluster/, kind);
    const { 'app.kubernetes.io/component': component, ...labels } = metadata.labels;
    assert.ok(component, kind);
    assert.deepEqual(labels, instance, kind);
    const selectors = [
      ...allUnder(spec, 'matchLabels'),
      ...(kind === 'Service' ? allUnder(spec, 'selector') : []),
    ];
    for (const selector of selectors) assert.deepEqual(selector, instance, kind);
    if (kind !== 'ServiceAccount') assert.notEqual(selectors.length, 0, kind);
  }
});

test('the StatefulSet mounts its volume, runs restricted and takes the password from a Secret only', () => {
  const set = objects.find(({ kind }) => kind === 'StatefulSet');
  assert.equal(set?.spec?.['serviceName'], set?.metadata.name);
  const [containers = []] = allUnder(set?.spec, 'containers') as readonly (readonly {
    readonly name: string;
    readonly image: string;
    readonly volumeMounts: readonly { readonly name: string }[];
    readonly securityContext: object;
    readonly resources: { readonly limits: object };
  }[])[];
  assert.deepEqual(
    containers.map(({ name }) => name),
    ['redis', 'agent'],
  );
  assert.equal(new Set(containers.map(({ image }) => image)).size, 1);
  for (const container of containers) {
    assert.ok(container.volumeMounts.some(({ name }) => name === 'data'));
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    assert.deepEqual(Object.keys(container.resources.limits), ['memory']);
  }
  const secret = { name: 'redis-cluster-auth', key: 'password', optional: true };
  assert.deepEqual(allUnder(set, 'secretKeyRef'), [secret]);
  const mounted = { secretName: 'redis-cluster-auth', optional: true, defaultMode: 0o440 };
  assert.deepEqual(allUnder(set, 'secret'), [mounted]);
  assert.deepEqual(allUnder(set, 'automountServiceAccountToken'), [false]);
});

test('the ConfigMaps hold every script and the configuration', () => {
  const maps = readKustomization(manifestFiles(), '').filter(({ kind }) => kind === 'ConfigMap');
  const keys = maps.flatMap((map) => Object.keys(map['data'] as object));
  assert.deepEqual(keys.toSorted(), ['redis.conf', ...scripts].toSorted());
});

test('the scripts are POSIX shell without complaints', (t) => {
  for (const script of allScripts) {
    const { status, stderr } = spawnSync('sh', ['-n', join(manifestFolder, script)], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
  if (!has(t, 'shellcheck', 'shellcheck')) return;
  const { status, stdout } = spawnSync('shellcheck', ['-x', ...allScripts], {
    cwd: manifestFolder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
});
