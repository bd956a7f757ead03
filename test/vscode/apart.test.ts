import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { adapterImage } from '../support/adapterFixture.ts';
import { assertAccessible } from './accessible.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';
import { accessTo, eventually } from './kubernetesAccess.ts';
import type { CheckResult, SnapshotResult } from './results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));

describe('a cluster that falls apart', { timeout: 10 * 60_000 }, () => {
  let kubernetes: TestKubernetes;
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: { context: string; namespace: string; name: string };
  before(async () => {
    kubernetes = await startKubernetes({ log: console.log });
    access = accessTo(kubernetes);
    const namespace = await kubernetes.createNamespace('apart');
    cluster = { context: kubernetes.context, namespace, name: 'shop' };
    const labels = { app: 'shop' };
    const container = {
      name: 'redis',
      image: adapterImage,
      command: ['redis-server', '--cluster-enabled', 'yes', '--protected-mode', 'no', '--dir', '/tmp'],
      ports: [{ containerPort: 6379 }],
    };
    await access.create({
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'shop', namespace } },
      spec: {
        ...{ serviceName: 'shop', replicas: 3, podManagementPolicy: 'Parallel' },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 1, containers: [container] },
        },
      },
    });
    vscode = await launchVSCode({
      extensionPath,
      settings: { 'redisCluster.namespaces': { [cluster.context]: [namespace] } },
      env: { KUBECONFIG: kubernetes.kubeconfig },
      log: console.log,
    });
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
  });
  after(async () => {
    await vscode.close();
    access.close();
    await kubernetes.stop();
  });
  keepOnFailure(() => vscode);
  const read = async (): Promise<SnapshotResult['cluster']> =>
    (await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster })).cluster;
  const rulesIn = ({ findings }: SnapshotResult['cluster']): readonly string[] =>
    findings.map(({ rule }) => rule);
  const cli = async (pod: string, ...words: readonly string[]): Promise<void> => {
    let output = '';
    const show = (text: string): void => void (output += text);
    const session = await access.exec(cluster.namespace, pod, 'redis', ['redis-cli', ...words], show);
    assert.equal((await session.done).exitCode, 0, output);
  };

  test('servers that never formed one say so, and once formed it is whole', async () => {
    await eventually('three empty servers', 120, async () => {
      const { nodes, findings } = await read();
      return nodes.length === 3 && findings[0]?.rule === 'not-formed';
    });
    await vscode.expandRow(cluster.context);
    await vscode.expandRow('shop');
    await vscode.treeRow(/No cluster was formed yet/).waitFor();
    await vscode.screenshot('not-formed-dark');
    const addresses = (await read()).nodes.map(({ pod = '' }) => pod);
    assert.deepEqual(addresses, ['shop-0', 'shop-1', 'shop-2']);
    const pods = (await access.list('v1', 'Pod', cluster.namespace)) as readonly {
      readonly status?: { readonly podIP?: string };
    }[];
    const ips = pods.map(({ status }) => `${status?.podIP ?? ''}:6379`);
    await cli('shop-0', '--cluster', 'create', ...ips, '--cluster-yes');
    await eventually('a whole cluster', 60, async () => {
      const cluster = await read();
      return (
        cluster.shards.length === 3 &&
        !rulesIn(cluster).some((rule) => /^(not-formed|coverage|cluster-state)$/.test(rule))
      );
    });
  });

  test('a pod that comes back empty is to join, and no part', async () => {
    await access.delete('v1', 'Pod', cluster.namespace, 'shop-0');
    await vscode.treeRow(/Pod shop-0 came back empty/).waitFor({ timeout: 60_000 });
    const found = rulesIn(await read());
    assert.ok(!found.includes('apart'), found.join());
    await vscode.screenshot('emptied-dark');
  });

  test('with slots of its own it is a part: the row, the finding, the part’s row and the slot map say so', async () => {
    await cli('shop-0', 'CLUSTER', 'ADDSLOTSRANGE', '0', '5460');
    await vscode.treeRow(/split into 2 parts/).waitFor({ timeout: 60_000 });
    const rows = (await vscode.rowTexts()).join('\n');
    assert.match(rows, /^shop, split · largest of 2 parts/m);
    assert.match(rows, /^Part 2, disconnected from the other nodes · 1 node · 0 keys · 5,461 slots$/m);
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.equal(check.ok, false);
    assert.match(check.text, /\[ERR\] The cluster is split into 2 parts/);
    await vscode.expandRow('Part 2');
    await vscode.screenshot('apart-dark');
    await vscode.setTheme('light');
    await vscode.screenshot('apart-light');
    await vscode.command('redisCluster.openSlotMap', { cluster });
    const page = await vscode.webview(/^Slot Map/);
    await page.getByText('split into 2 parts').waitFor();
    await vscode.screenshot('apart-map-light');
    await vscode.setTheme('dark');
    await vscode.screenshot('apart-map-dark');
    await assertAccessible(vscode);
  });
});
