import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';

import { manifestFolder } from '../support/manifestFiles.ts';
import { deployManifests, type DeployOptions, type Deployment } from '../support/scenarios/deployment.ts';
import { kubectlIn } from '../support/scenarios/kubectl.ts';
import { untilWhole } from '../support/scenarios/whole.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';

let kubernetes: TestKubernetes;

before(async () => {
  kubernetes = await startKubernetes();
});

after(() => kubernetes.stop());

/** The overlay applied by kubectl, its cluster whole; removed after the test. */
async function deployed(t: TestContext, overlay: string, options: DeployOptions): Promise<Deployment> {
  const from = `manifests/overlays/${overlay}`;
  const deployment = await deployManifests(kubernetes, { from, ...options });
  t.after(() => deployment.remove());
  const { replicas = 1 } = options;
  const seconds = await untilWhole(deployment, 3 * (1 + replicas), { since: deployment.appliedAt });
  t.diagnostic(`whole after ${String(seconds)} s`);
  return deployment;
}

test('every overlay is accepted by the API and restricted Pod Security has nothing against it', async () => {
  const namespace = await kubernetes.createNamespace('overlays');
  const kubectl = kubectlIn(kubernetes, namespace);
  const levels = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
  await kubectl(['label', 'namespace', namespace, ...levels]);
  for (const overlay of readdirSync(join(manifestFolder, 'overlays'))) {
    const folder = join(manifestFolder, 'overlays', overlay);
    await kubectl(['apply', '--dry-run=server', '--warnings-as-errors', '-k', folder]);
  }
  await kubernetes.deleteNamespace(namespace);
});

test('dev forms a cluster without a password and without volumes', async (t) => {
  const dev = await deployed(t, 'dev', { password: false });
  assert.equal(await dev.redisCli(0, ['config', 'get', 'requirepass']), 'requirepass\n\n');
  assert.equal(await dev.redisCli(0, ['config', 'get', 'appendonly']), 'appendonly\nyes\n');
  assert.equal(await dev.kubectl(['get', 'pvc', '-o', 'name']), '');
});

test('valkey forms a cluster of Valkey', async (t) => {
  const valkey = await deployed(t, 'valkey', { replicas: 0 });
  const version = valkey.image.split(':')[1] ?? '';
  assert.match(await valkey.redisCli(0, ['info', 'server']), new RegExp(`valkey_version:${version}\n`));
});

test('metrics are served for each server, with the password of the Secret', async (t) => {
  const { kubectl, namespace } = await deployed(t, 'metrics', { replicas: 0 });
  for (const pod of ['redis-cluster-0', 'redis-cluster-1', 'redis-cluster-2']) {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}:9121/proxy/metrics`;
    const metrics = await kubectl(['get', '--raw', path]);
    assert.match(metrics, /^redis_up 1$/m);
    assert.match(metrics, /^redis_cluster_slots_ok 16384$/m);
  }
  const endpoints = await kubectl(['get', 'endpoints', 'redis-cluster-metrics', '-o', 'yaml']);
  assert.match(endpoints, /port: 9121/);
});
