import assert from 'node:assert/strict';
import { parseAddress } from '../../../src/model/clusterRef.ts';
import { connectNode } from '../../../src/redis/entry.ts';
import type { VSCodeUnderTest } from '../launchVSCode.ts';
import { personAt } from './person.ts';
import type { Result } from './results.ts';

const times = { connectTimeoutMs: 2000, commandTimeoutMs: 2000 };

/**
 * Takes 100 slots from every server of a healthy cluster that the status bar shows, and sees it there, on the view's icon
 * and in one notification.
 */
export async function loseSlots(
  vscode: VSCodeUnderTest,
  cluster: { readonly addresses: readonly string[] },
  first: number,
  last: number,
): Promise<void> {
  const { picture, told } = personAt(() => vscode);
  const item = vscode.page.locator('.statusbar-item').filter({ hasText: 'Sandbox' });
  const chosen = await vscode.command<Result>('redisCluster.showInStatusBar', { cluster });
  assert.equal(chosen.message, 'Sandbox is shown in the status bar.');
  await item.getByLabel('Redis Cluster Sandbox: healthy').waitFor();
  await vscode.screenshot('status-bar-healthy-dark');
  await vscode.command('notifications.clearAll');
  for (const address of cluster.addresses) {
    const connection = await connectNode(parseAddress(address), {}, times);
    await connection.call('CLUSTER', 'DELSLOTSRANGE', first, last);
    connection.close();
  }
  await vscode.treeRow(/100 slots are not covered/).waitFor({ timeout: 20_000 });
  await told(/^Sandbox became unhealthy\. 6 of 6 nodes .*2 problems in all/, 20);
  await item.getByText(/Sandbox: \d+ problems?/).waitFor();
  await vscode.page.locator('.activitybar .badge-content').filter({ hasText: /^\d+$/ }).first().waitFor();
  await picture('unhealthy');
  await vscode.command('workbench.view.explorer');
  await vscode.pressNotification(/became unhealthy/, 'Show');
  await vscode.page.locator('.monaco-list-row.selected').filter({ hasText: 'Sandbox' }).waitFor();
  await item.click();
  await vscode.page.locator('.quick-input-widget').getByText('Show Sandbox in the Tree').waitFor();
  await picture('status-bar-choice');
  await vscode.pick('Hide Sandbox');
  await item.waitFor({ state: 'detached' });
}
