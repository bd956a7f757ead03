import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesAccess, KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { adapterImage } from '../support/adapterFixture.ts';
import { assertAccessible } from '../support/vscode/accessible.ts';
import { keepOnFailure, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { kubernetesEditor, type KubernetesEditor } from '../support/vscode/kubernetesEditor.ts';
import { personAt } from '../support/vscode/person.ts';
import type { CheckResult, SnapshotResult } from '../support/vscode/results.ts';

/** Three servers in cluster mode that nobody has made a cluster of, and whose data ends with their pods. */
function bareServers(namespace: string, name: string): KubernetesObject {
  const labels = { app: name };
  const container = {
    name: 'redis',
    image: adapterImage,
    command: ['redis-server', '--cluster-enabled', 'yes', '--protected-mode', 'no', '--dir', '/tmp'],
    ports: [{ containerPort: 6379 }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace },
    spec: {
      serviceName: name,
      replicas: 3,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [container] },
      },
    },
  };
}

describe('a cluster that falls apart', { timeout: 10 * 60_000 }, () => {
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: KubernetesEditor['cluster'];
  let close: () => Promise<void>;
  before(async () => {
    ({ access, vscode, cluster, close } = await kubernetesEditor('apart', async (made, namespace) => {
      for (const name of ['shop', 'billing']) await made.create(bareServers(namespace, name));
    }));
    await vscode.command('workbench.view.extension.redisCluster');
  });
  after(() => close());
  keepOnFailure(() => vscode);
  const read = async (which = cluster): Promise<SnapshotResult['cluster']> =>
    (await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster: which })).cluster;
  const rulesIn = ({ findings }: SnapshotResult['cluster']): readonly string[] =>
    findings.map(({ rule }) => rule);
  const { picture, asked } = personAt(() => vscode);
  const addressesOf = async (name: string): Promise<readonly string[]> => {
    const pods = (await access.list('v1', 'Pod', cluster.namespace)) as readonly {
      readonly metadata?: { readonly name?: string };
      readonly status?: { readonly podIP?: string };
    }[];
    return pods
      .filter(({ metadata }) => metadata?.name?.startsWith(`${name}-`))
      .map(({ status }) => status?.podIP ?? '');
  };
  const form = async (name: string): Promise<void> => {
    const addresses = (await addressesOf(name)).map((ip) => `${ip}:6379`);
    await cli(`${name}-0`, '--cluster', 'create', ...addresses, '--cluster-yes');
  };
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
    await vscode.treeRow(/No cluster has been formed yet/).waitFor();
    assert.match((await vscode.rowTexts()).join('\n'), /^shop, no cluster formed · 3 servers/m);
    await vscode.treeRow('shop').hover();
    await vscode.treeRow('shop').getByRole('button', { name: 'Form Cluster…' }).waitFor();
    await picture('not-formed');
    const addresses = (await read()).nodes.map(({ pod = '' }) => pod);
    assert.deepEqual(addresses, ['shop-0', 'shop-1', 'shop-2']);
    await form('shop');
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
    await vscode.treeRow(/shop-0 came back empty/).waitFor({ timeout: 60_000 });
    const found = rulesIn(await read());
    assert.ok(!found.includes('apart'), found.join());
    await picture('emptied');
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
    await picture('apart');
    for (const [width, words] of [
      [200, 1],
      [300, 2],
    ] as const) {
      await vscode.setSideBarWidth(width);
      await picture(`apart-${width}`);
      const cut = await vscode.rowsCutWithin(words);
      const own = cut.filter((label) => label !== cluster.context && label !== cluster.namespace);
      assert.deepEqual(own, [], `${width} px`);
    }
    await vscode.command('redisCluster.openSlotMap', { cluster });
    const page = await vscode.webview(/^Slot Map/);
    await page.getByText('split into 2 parts').waitFor();
    await picture('apart-map');
    await assertAccessible(vscode);
  });

  test('what could lose a part asks a person which part is meant, and Escape changes nothing', async () => {
    for (const label of ['Scale…', 'Delete Cluster…']) {
      await vscode.rowMenu('shop', label);
      await asked(/Changing one part can lose the keys of another.*“shop-1” to change only the first part/s);
      await picture(`apart-${label.split(/\W/, 1)[0]?.toLowerCase() ?? ''}`);
      await vscode.page.keyboard.press('Escape');
    }
    assert.ok(rulesIn(await read()).includes('apart'));
  });

  test('two clusters that met are named as merged, and once they are deleted the map says so', async () => {
    await form('billing');
    const billing = { ...cluster, name: 'billing' };
    await eventually('billing is whole', 60, async () => (await read(billing)).shards.length === 3);
    const [address = ''] = await addressesOf('billing');
    await cli('shop-1', 'CLUSTER', 'MEET', address, '6379');
    await vscode.treeRow('shop').waitFor({ state: 'detached', timeout: 60_000 });
    await vscode.expandRow('billing');
    await vscode.treeRow(/have merged/).waitFor({ timeout: 30_000 });
    const page = await vscode.webview(/^Slot Map/);
    await page.getByText('Clusters billing and shop have merged').waitFor();
    await picture('merged');
    for (const name of ['shop', 'billing'])
      await access.delete('apps/v1', 'StatefulSet', cluster.namespace, name);
    await page.getByText(/is no longer found/).waitFor({ timeout: 60_000 });
    await picture('gone');
  });
});
