import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { countSlots, parseSlots } from '../../src/model/slots.ts';
import { newestServer, oldestServer } from '../../scripts/vscode/install.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { makePackage } from '../support/makePackage.ts';
import type { CheckResult, Result, SnapshotResult } from '../support/vscode/results.ts';

const id = 'kubernetes-redis-cluster.kubernetes-redis-cluster';

for (const version of [oldestServer, newestServer]) {
  describe(`the package in a clean VS Code (code-server ${version.codeServer})`, { timeout: 900_000 }, () => {
    let folder: string;
    let vscode: VSCodeUnderTest;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'package-test-'));
      vscode = await launchVSCode({
        ...{ extensionPath: await makePackage(join(folder, 'extension.vsix')), version },
        env: { KUBECONFIG: '/nonexistent/kubeconfig' },
        log: console.log,
      });
    });
    after(async () => {
      await vscode.close();
      await rm(folder, { recursive: true });
    });
    keepOnFailure(() => vscode);

    test('it is the installed extension, and nothing else of this project', async () => {
      const found = await vscode.evaluate((api, wanted) => {
        const extension = api.extensions.getExtension<unknown>(wanted);
        const manifest = extension?.packageJSON as object | undefined;
        const names = Object.keys(manifest ?? {});
        return { extensionPath: extension?.extensionPath ?? '', names, version: api.version };
      }, id);
      assert.match(
        found.extensionPath,
        /extensions[/\\]kubernetes-redis-cluster\.kubernetes-redis-cluster-0/,
      );
      assert.ok(!found.names.includes('devDependencies'), found.names.join());
      assert.equal(found.version.split('.')[1], version.codeServer.split('.')[1]);
    });

    test('from the first button to a reshard that the check and the slot map confirm', async () => {
      await vscode.command('workbench.view.extension.redisCluster');
      await vscode.page.getByRole('button', { name: 'Start Sandbox' }).click();
      await vscode.treeRow('Shard 1').waitFor({ timeout: 60_000 });
      const { cluster } = await vscode.command<Result & { cluster: object }>('redisCluster.startSandbox');
      await vscode.command('redisCluster.openSlotMap', { cluster });
      const page = await vscode.webview(/^Slot Map/);
      const shards = page.locator('[data-shard-id]');
      await shards.first().waitFor();
      const target = await shards.nth(0).getAttribute('data-shard-id');
      const source = await shards.nth(1).getAttribute('data-shard-id');
      assert.ok(target !== null && source !== null);
      const moved = await vscode.command<Result & { movedSlots: number }>('redisCluster.reshard', {
        ...{ cluster, from: [source], to: target, slots: 1000, confirmed: true },
      });
      assert.deepEqual([moved.outcome, moved.movedSlots], ['done', 1000], moved.message);
      const { cluster: after } = await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster });
      const { slots = '' } = after.nodes.find((node) => node.id === target) ?? {};
      assert.ok(countSlots(parseSlots(slots)) > 6000, slots);
      await page.locator(`[data-shard-id="${target}"][data-slots="${slots}"]`).waitFor({ timeout: 5_000 });
      await vscode.screenshot(`installed-${version.codeServer}`);
      const check = await vscode.command<CheckResult>('redisCluster.check', { cluster });
      assert.match(check.text, /\[OK\] All 16384 slots covered\./);
      assert.equal((await vscode.command<Result>('redisCluster.stopSandbox')).outcome, 'done');
      await vscode.treeRow('Sandbox').waitFor({ state: 'detached' });
    });
  });
}
