import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { parseAddress } from '../../src/model/clusterRef.ts';
import type { BackupResult } from '../../src/operations/backup.ts';
import { fillSample } from '../../src/redis/entry.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { keepOnFailure, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import type { TestKubernetes } from '../support/startKubernetes.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { kubernetesEditor, type KubernetesEditor } from '../support/vscode/kubernetesEditor.ts';
import type { CheckResult, Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
const keys = 5_000;

describe('a cluster from deploy to delete', { timeout: 30 * 60_000 }, () => {
  let kubernetes: TestKubernetes;
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: KubernetesEditor['cluster'];
  let close: () => Promise<void>;
  before(async () => {
    ({ kubernetes, access, vscode, cluster, close } = await kubernetesEditor('story'));
  });
  after(() => close());
  keepOnFailure(() => vscode);
  const snapshot = (): Promise<SnapshotResult> => vscode.command('redisCluster.snapshot', { cluster });
  const addresses = async (): Promise<readonly string[]> =>
    (await snapshot()).cluster.nodes.map((node) => node.address);
  const password = async (): Promise<string> => {
    const found = await access.readSecret(cluster.namespace, { secret: 'shop-auth', key: 'password' });
    assert.ok(found !== undefined && found.length >= 24);
    return found;
  };
  const inPod = async (
    pod: string,
    command: readonly string[],
  ): Promise<{ exitCode: number; output: string }> => {
    let output = '';
    const session = await access.exec(cluster.namespace, pod, 'redis', command, (data) => {
      output += data;
    });
    const { exitCode } = await session.done;
    return { exitCode, output };
  };

  test('deploy forms six pods to three shards, and the tree shows them', async () => {
    const { context, namespace, name } = cluster;
    const deployed = await vscode.command<Result & { seconds: number }>('redisCluster.deploy', {
      context,
      namespace,
      name,
    });
    assert.equal(deployed.outcome, 'done', deployed.message);
    console.log(`deployed 3 masters and 3 replicas in ${deployed.seconds.toFixed(1)} s`);
    const { nodes, shards, findings } = (await snapshot()).cluster;
    assert.equal(nodes.length, 6);
    assert.deepEqual(findings, []);
    assert.equal(shards.length, 3);
    assert.equal(
      shards.reduce((sum, shard) => sum + shard.slotCount, 0),
      16_384,
    );
    assert.ok(nodes.every((node) => node.worker !== undefined));
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.expandRow(context);
    await vscode.expandRow(name);
    await vscode.expandRow('Shard 1');
    await vscode.treeRow('Slots').waitFor();
    // A row counts as expanded before its children have come.
    await vscode.treeRow(/shop-\d.*master/).waitFor();
    const rows = (await vscode.rowTexts()).join('\n');
    assert.match(rows, /^shop, healthy · 3 shards · 6 nodes$/m);
    assert.match(rows, /^shop-\d, master · 5,46\d slots/m);
    assert.match(rows, /^Slots, 16,384 covered$/m);
  });

  test('5,000 keys later the check is content', async () => {
    await fillSample(await addresses(), { password: await password() }, keys);
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.equal(check.ok, true, check.text);
    assert.match(check.text, /\[OK\] 5000 keys in 3 masters\./);
    await vscode.screenshot('check-dark');
    await vscode.setTheme('light');
    await vscode.screenshot('check-light');
    await vscode.setTheme('dark');
  });

  test('a deleted pod is seen in the tree, and so is its return', async () => {
    const replica = (await snapshot()).cluster.nodes.find((node) => node.role === 'replica');
    assert.ok(replica?.pod !== undefined);
    await vscode.command('redisCluster.groupBy', { by: 'roles' });
    await vscode.treeRow('Replicas').waitFor();
    const row = vscode.treeRow(new RegExp(`^${replica.pod}\\s*terminating`));
    // A replica is gone within a second, which a slow machine may draw over: it stays until its row was seen.
    const heldBy = (finalizers: readonly string[] | null): Promise<object> =>
      access.patch('v1', 'Pod', cluster.namespace, replica.pod ?? '', { metadata: { finalizers } });
    await heldBy(['example.com/seen-in-the-tree']);
    await access.delete('v1', 'Pod', cluster.namespace, replica.pod);
    const started = performance.now();
    await row.waitFor({ timeout: 10_000 });
    console.log(`pod deleted, its row changed ${((performance.now() - started) / 1000).toFixed(2)} s later`);
    await heldBy(null);
    await row.waitFor({ state: 'detached', timeout: 120_000 });
    await eventually('six nodes without findings', 60, async () => {
      const { nodes, findings } = (await snapshot()).cluster;
      return nodes.length === 6 && findings.length === 0;
    });
  });

  test('scaled to twelve, the new nodes are replicas, three to a master', async () => {
    const scaled = await vscode.command<Result & object>('redisCluster.scale', { cluster, pods: 12 });
    assert.equal(scaled.outcome, 'done', scaled.message);
    const { nodes, shards } = (await snapshot()).cluster;
    assert.equal(nodes.length, 12);
    assert.deepEqual(
      shards.map((shard) => shard.replicas.length),
      [3, 3, 3],
    );
  });

  test('a reshard of 1,000 slots under load loses nothing, and the slot map follows it', async () => {
    assert.ok(kubernetes.podsReachable, 'The chaos client needs pods that this machine can reach.');
    await vscode.command('redisCluster.openSlotMap', { cluster });
    const map = await vscode.webview(/^Slot Map/);
    await map.locator('[data-shard-id]').first().waitFor();
    await vscode.screenshot('slotmap-dark');
    const chaos = await startChaosClient({
      nodes: (await addresses()).map(parseAddress),
      password: await password(),
    });
    const [first] = (await snapshot()).cluster.shards;
    assert.ok(first !== undefined);
    const request = { cluster, from: 'all', to: first.master, slots: 1000 };
    const moved = await vscode.command<Result & { movedSlots: number; movedKeys: number; seconds: number }>(
      'redisCluster.reshard',
      request,
    );
    const report = await chaos.stop();
    assert.equal(moved.outcome, 'done', moved.message);
    assert.equal(moved.movedSlots, 1000);
    assert.ok(moved.movedKeys > 0);
    console.log(`resharded: ${moved.message} ${JSON.stringify(report)}`);
    assert.deepEqual([report.missing, report.stale], [0, 0], report.losses.join('\n'));
    assert.ok(report.acknowledged > 0);
    const { shards } = (await snapshot()).cluster;
    for (const shard of shards) {
      await map
        .locator(`[data-shard-id="${shard.master}"][data-slots="${shard.slots}"]`)
        .waitFor({ timeout: 10_000 });
    }
    await vscode.screenshot('slotmap-after-dark');
    await vscode.setTheme('light');
    await vscode.screenshot('slotmap-light');
    await vscode.setTheme('dark');
    const { exitCode, output } = await inPod('shop-0', [
      'redis-cli',
      '--cluster',
      'check',
      'localhost',
      '6379',
    ]);
    assert.equal(exitCode, 0, output);
    assert.match(output, /All 16384 slots covered/);
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.equal(check.ok, true, check.text);
  });

  test('a backup has every key, copied through the tunnels, from replicas', async () => {
    const to = await mkdtemp(join(tmpdir(), 'backups-'));
    const result = await vscode.command<Result & BackupResult & { folder: string }>('redisCluster.backup', {
      cluster,
      to,
    });
    assert.equal(result.outcome, 'done', result.message);
    const { nodes } = (await snapshot()).cluster;
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.match(check.text, new RegExp(`\\[OK\\] ${result.keys} keys in \\d masters`));
    assert.ok(result.shards.every(({ source }) => nodes.find(({ id }) => id === source)?.role === 'replica'));
    assert.deepEqual(
      (await readdir(result.folder)).sort(),
      [...result.shards.map(({ file }) => file), 'backup.json', 'nodes.json'].sort(),
    );
    const restore = { cluster, from: result.folder, mode: 'replace' };
    const pending = vscode.command<Result & { movedKeys: number }>('redisCluster.restore', restore);
    const dialog = await vscode.dialogText();
    assert.match(dialog, /Cannot be undone: All [\d,]+ keys/);
    for (const part of [cluster.context, cluster.namespace, 'shop', result.folder])
      assert.ok(dialog.includes(part), dialog);
    await vscode.screenshot('restore-dialog');
    await vscode.pressDialog('Restore');
    await vscode.typeInput('shop');
    const restored = await pending;
    assert.equal(restored.outcome, 'done', restored.message);
    assert.equal(restored.movedKeys, result.keys);
    await rm(to, { recursive: true });
  });

  test('redis-cli and logs open on a node, with no password in any argument', async () => {
    const [node] = (await snapshot()).cluster.nodes;
    assert.ok(node !== undefined);
    assert.equal(
      (await vscode.command<Result>('redisCluster.openRedisCli', { cluster, node: node.id })).outcome,
      'done',
    );
    const secret = await password();
    let output = '';
    await eventually('redis-cli runs in the pod', 20, async () => {
      ({ output } = await inPod(node.pod ?? '', ['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']));
      return /redis-cli [^\n]*-p 6379/.test(output);
    });
    assert.ok(!output.includes(secret));
    await vscode.keepLogs('story');
    const logs = globSync('test-results/story-logs/**/*.log', { cwd: extensionPath });
    assert.ok(logs.length > 0);
    for (const log of logs) assert.ok(!readFileSync(join(extensionPath, log), 'utf8').includes(secret), log);
    assert.equal(
      (await vscode.command<Result>('redisCluster.showLogs', { cluster, node: node.id })).outcome,
      'done',
    );
  });

  test('delete asks for the name, and leaves nothing but the volumes', async () => {
    const pending = vscode.command<Result & { deleted: string[] }>('redisCluster.delete', {
      cluster,
      volumes: false,
    });
    await vscode.page.locator('.monaco-dialog-box').waitFor();
    const dialog = await vscode.dialogText();
    for (const part of [cluster.context, cluster.namespace, cluster.name])
      assert.ok(dialog.includes(part), dialog);
    await vscode.screenshot('delete-dialog');
    await vscode.pressDialog('Delete');
    await vscode.typeInput('shop');
    const deleted = await pending;
    assert.equal(deleted.outcome, 'done', deleted.message);
    const { namespace } = cluster;
    assert.deepEqual(await access.list('v1', 'Pod', namespace), []);
    assert.deepEqual(await access.list('apps/v1', 'StatefulSet', namespace), []);
    assert.equal((await access.list('v1', 'PersistentVolumeClaim', namespace)).length, 12);
    const rest = await vscode.command<Result & { deleted: string[] }>('redisCluster.delete', {
      ...{ cluster, volumes: true, confirmed: true },
    });
    assert.equal(rest.outcome, 'done', rest.message);
    assert.deepEqual(await access.list('v1', 'PersistentVolumeClaim', namespace), []);
  });
});
