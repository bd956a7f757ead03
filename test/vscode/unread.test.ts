import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertAccessible } from '../support/vscode/accessible.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import type { CheckResult, Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
const why = 'the servers require a password';

describe('a cluster that cannot be read', { timeout: 10 * 60_000 }, () => {
  let servers: TestCluster;
  let vscode: VSCodeUnderTest;
  let cluster: { addresses: readonly string[] };
  before(async () => {
    servers = await startRedisCluster({ password: 'secret' });
    cluster = { addresses: servers.addresses.slice(0, 1) };
    vscode = await launchVSCode({
      extensionPath,
      settings: { 'redisCluster.addresses': cluster.addresses },
      env: { KUBECONFIG: '/nonexistent/kubeconfig' },
      log: console.log,
    });
  });
  after(async () => {
    await vscode.close();
    await servers.stop();
  });
  keepOnFailure(() => vscode);

  test('says why in its row, its finding and the badge, and is not called healthy', async () => {
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
    const [address = ''] = cluster.addresses;
    await vscode.treeRow(address).waitFor({ timeout: 30_000 });
    await vscode.expandRow(address);
    await vscode.treeRow(/cannot be read: password required/).waitFor({ timeout: 30_000 });
    await vscode.treeRow(/Cannot be read/).waitFor({ timeout: 30_000 });
    const rows = (await vscode.rowTexts()).join('\n');
    assert.ok(rows.includes(`${address}, cannot be read: password required`), rows);
    assert.match(rows, /^Error: Cannot be read, the servers require a password\.$/m);
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
    assert.deepEqual([check.ok, check.message], [false, `${address} cannot be read: ${why}.`]);
    assert.doesNotMatch(check.text, /\[OK\]|0 keys/);
    const { cluster: read } = await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster });
    assert.deepEqual(
      read.findings.map(({ rule }) => rule),
      ['unread'],
    );
    await vscode.screenshot('unread-dark');
    await vscode.setTheme('light');
    await vscode.screenshot('unread-light');
  });

  test('has no map, and says why', async () => {
    await vscode.command('redisCluster.openSlotMap', { cluster });
    const page = await vscode.webview(/^Slot Map/);
    await page.getByText('Cannot be read').waitFor();
    await vscode.screenshot('unread-map-light');
    await vscode.setTheme('dark');
    await vscode.screenshot('unread-map-dark');
    await assertAccessible(vscode);
    await page.getByText('Sign In…', { exact: true }).click();
    await eventually('the question for the user', 20, async () =>
      (await vscode.promptText().catch(() => '')).includes('Enter the user name'),
    );
    await vscode.page.keyboard.press('Escape');
  });

  test('refuses every change with the reason, whatever was confirmed', async () => {
    for (const id of [
      'flush',
      'fix',
      'heal',
      'forget',
      'rebalance',
      'reshard',
      'replicate',
      'removeShard',
      'promote',
    ]) {
      const { outcome, message } = await vscode.command<Result>(`redisCluster.${id}`, {
        cluster,
        confirmed: true,
      });
      assert.notEqual(outcome, 'done', id);
      assert.match(message, /cannot be read: the servers require a password/, id);
      assert.doesNotMatch(message, /holds no keys|Fix Uncovered|Forget Node/, id);
    }
  });
});
