import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubernetesAccess, KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { withoutAuthority } from '../support/connectProxy.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';
import { accessTo, eventually } from '../support/vscode/kubernetesAccess.ts';
import type { CheckResult, Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
const manifest = readFileSync(new URL('./foreign/redis-cluster.yml', import.meta.url), 'utf8');

/** These manifests mount no volume, which is found before it costs the keys. */
const rulesOf = ({ findings }: SnapshotResult['cluster']): readonly string[] =>
  findings.map(({ rule }) => rule);

describe('a cluster that other manifests made', { timeout: 20 * 60_000 }, () => {
  let kubernetes: TestKubernetes;
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: { context: string; namespace: string; name: string };
  let folder: string;
  before(async () => {
    kubernetes = await startKubernetes({ log: console.log });
    access = accessTo(kubernetes);
    const namespace = await kubernetes.createNamespace('foreign');
    cluster = { context: kubernetes.context, namespace, name: 'redis-cluster' };
    for (const document of parseAllDocuments(manifest)) {
      const object = document.toJS() as KubernetesObject;
      await access.create({ ...object, metadata: { ...object.metadata, namespace } });
    }
    folder = await mkdtemp(join(tmpdir(), 'foreign-'));
    const [kubeconfig, authority] = [join(folder, 'config'), join(folder, 'authority.pem')];
    await writeFile(authority, await withoutAuthority(kubernetes.kubeconfig, kubeconfig, 'trusted'));
    const namespaces = { [cluster.context]: [namespace], trusted: [namespace] };
    const settings = { 'redisCluster.namespaces': namespaces };
    vscode = await launchVSCode({
      extensionPath,
      settings,
      env: {
        KUBECONFIG: [kubernetes.kubeconfig, kubeconfig].join(delimiter),
        NODE_EXTRA_CA_CERTS: authority,
      },
      log: console.log,
    });
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
  });
  after(async () => {
    await vscode.close();
    access.close();
    await kubernetes.stop();
    await rm(folder, { recursive: true });
  });
  keepOnFailure(() => vscode);
  const snapshot = (): Promise<SnapshotResult> => vscode.command('redisCluster.snapshot', { cluster });

  test('is found while it forms, and shown', async () => {
    await vscode.expandRow(cluster.context);
    await vscode.treeRow('redis-cluster').waitFor({ timeout: 60_000 });
    await eventually('six nodes without findings but that they have no volumes', 180, async () => {
      const { cluster: read } = await snapshot();
      return read.nodes.length === 6 && rulesOf(read).join() === 'no-volume';
    });
    await vscode.expandRow('redis-cluster');
    await vscode.treeRow('Shard 3').waitFor();
    const { shards } = (await snapshot()).cluster;
    assert.deepEqual(
      shards.map((shard) => [shard.slots, shard.replicas.length]),
      [
        ['0-5461', 1],
        ['5462-10922', 1],
        ['10923-16383', 1],
      ],
    );
    await vscode.screenshot('foreign-dark');
  });

  test('is checked', async () => {
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.equal(check.ok, true, check.text);
    assert.match(check.text, /M: [0-9a-f]{40} [\d.]+:6379\n {3}slots:\[0-5461\] \(5462 slots\) master/);
  });

  test('is checked where the kubeconfig names no authority, and VS Code trusts the API server’s', async () => {
    const trusted = { ...cluster, context: 'trusted' };
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster: trusted });
    assert.equal(check.ok, true, check.message);
  });

  test('is scaled to twelve', async () => {
    const scaled = await vscode.command<Result & { replicas: number }>('redisCluster.scale', {
      cluster,
      pods: 12,
    });
    assert.equal(scaled.outcome, 'done', scaled.message);
    assert.equal(scaled.replicas, 9);
    assert.deepEqual(rulesOf((await snapshot()).cluster), ['no-volume']);
  });

  test('is scaled down to six: the nodes of the pods that end leave first', async () => {
    const scaled = await vscode.command<Result>('redisCluster.scale', { cluster, pods: 6, confirmed: true });
    assert.equal(scaled.outcome, 'done', scaled.message);
    const set = await access.get('apps/v1', 'StatefulSet', cluster.namespace, 'redis-cluster');
    assert.equal((set?.['spec'] as { replicas: number }).replicas, 6);
    const read = (await snapshot()).cluster;
    assert.deepEqual([read.nodes.length, rulesOf(read)], [6, ['no-volume']]);
  });

  test('is deleted with what provably belongs to it', async () => {
    const deleted = await vscode.command<Result & { deleted: string[] }>('redisCluster.delete', {
      cluster,
      confirmed: true,
    });
    assert.equal(deleted.outcome, 'done', deleted.message);
    assert.ok(deleted.deleted.includes('StatefulSet redis-cluster'));
    assert.ok(deleted.deleted.includes('PodDisruptionBudget redis-cluster-pdb'));
  });
});
