import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../../src/model/clusterRef.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { withNode } from '../support/redis/moveFixture.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { personAt } from '../support/vscode/person.ts';
import type { Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
/** From a server's port to the one that it announces, at which nothing listens. */
const announcedBeside = 20_000;

describe('what is locked, and what is not reached', { timeout: 10 * 60_000 }, () => {
  let servers: TestCluster;
  let hidden: TestCluster;
  let vscode: VSCodeUnderTest;
  let address: string;
  before(async () => {
    [servers, hidden] = await Promise.all([
      startRedisCluster(),
      startRedisCluster({
        ...{ replicasPerMaster: 0 },
        flags: `--cluster-announce-port $((port + ${announcedBeside}))`,
      }),
    ]);
    [address = ''] = servers.addresses;
    vscode = await launchVSCode({
      extensionPath,
      settings: {
        'redisCluster.addresses': [address],
      },
      env: { KUBECONFIG: '/nonexistent/kubeconfig' },
      log: console.log,
    });
  });
  after(async () => {
    await vscode.close();
    await servers.stop();
    await hidden.stop();
  });
  keepOnFailure(() => vscode);
  const { asked, dialog, told } = personAt(() => vscode);
  const picture = async (name: string): Promise<void> => {
    for (const theme of ['light', 'highContrast', 'highContrastLight', 'dark'] as const) {
      await vscode.setTheme(theme);
      await vscode.screenshot(`${name}-${theme}`);
    }
  };
  const set = (name: string, value: unknown): Promise<void> =>
    vscode.evaluate(
      async ({ workspace, ConfigurationTarget }, [setting, to]) => {
        await workspace.getConfiguration('redisCluster').update(setting, to, ConfigurationTarget.Global);
      },
      [name, value] as const,
    );
  const rows = async (): Promise<string> => (await vscode.rowTexts()).join('\n');

  test('a read-only cluster has a lock, and says which setting refuses a change', async () => {
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
    await set('readOnlyContexts', ['127.0.0.1:*']);
    await vscode.treeRow(/read-only/).waitFor({ timeout: 30_000 });
    await vscode.rowMenu(address, 'Reshard…');
    await told(/readOnlyContexts/, 30);
    await picture('locked-read-only');
    await vscode.command('notifications.clearAll');
  });

  test('a protected cluster asks for its name after the plan', async () => {
    await set('readOnlyContexts', []);
    await set('protectedContexts', ['127.0.0.1:*']);
    await vscode.treeRow(/protected/).waitFor({ timeout: 30_000 });
    await picture('locked-protected');
    const cluster = { addresses: [address] };
    const [to, from] = servers.nodes.map(({ id }) => id);
    const reshard = vscode.command<Result>('redisCluster.reshard', {
      ...{ cluster, to, from: [from], slots: 100, confirmed: true },
    });
    await dialog();
    await picture('protected-plan');
    await vscode.pressDialog('Reshard');
    await asked(/is protected\. Type/);
    await picture('protected-word');
    await vscode.page.keyboard.press('Escape');
    assert.equal((await reshard).outcome, 'cancelled');
    await set('protectedContexts', []);
  });

  test('rights to some commands only: the commands and what is unknown without them are named', async () => {
    for (const node of servers.nodes)
      await withNode(servers, node, (line) =>
        line.call('ACL', 'SETUSER', 'few', 'on', '>few', '+cluster|nodes', '+cluster|myid', '+ping'),
      );
    const signedIn = await vscode.command<Result>('redisCluster.signIn', {
      ...{ cluster: { addresses: [address] }, username: 'few', password: 'few' },
    });
    assert.equal(signedIn.outcome, 'done', signedIn.message);
    await vscode.expandRow(address);
    await vscode.treeRow(/Denied on all nodes/).waitFor({ timeout: 30_000 });
    await picture('partial-rights');
    await vscode.treeRow(/Denied on all nodes/).hover();
    await vscode.page.waitForTimeout(1500);
    await picture('partial-rights-hover');
    await vscode.clickRow(/Denied on all nodes/);
    await eventually('the report is open', 30, () =>
      vscode.evaluate(
        ({ window }) => window.activeTextEditor?.document.getText().includes('Denied') === true,
      ),
    );
    await picture('partial-rights-report');
    await vscode.command('workbench.action.closeAllEditors');
    await vscode.command('redisCluster.signOut', { cluster: { addresses: [address] } });
    await vscode.command('notifications.clearAll');
  });

  test('nodes that announce what leads nowhere are asked for, and read where they are', async () => {
    const [first] = hidden.addresses;
    const ref = { addresses: [first ?? ''] };
    const added = await vscode.command<Result>('redisCluster.addByAddress', ref);
    assert.equal(added.outcome, 'done', added.message);
    await vscode.treeRow(/1 of 3 nodes answered/).waitFor({ timeout: 30_000 });
    await vscode.expandRow(first ?? '');
    const finding = /though other nodes are connected/;
    await vscode.treeRow(finding).waitFor({ timeout: 30_000 });
    await picture('not-reached');
    await vscode.treeRow(finding).hover();
    await vscode.rowAction(finding, 'Reach Nodes As…');
    for (let question = 1; question <= 2; question++) {
      const text = await asked(new RegExp(`\\(${question} of 2\\)`));
      if (question === 1) await picture('reach-as');
      const port = Number(/Reach 127\.0\.0\.1:(\d+) as/.exec(text)?.[1]) - announcedBeside;
      await vscode.typeInput(formatAddress({ host: '127.0.0.1', port }));
    }
    await eventually('all are read', 30, async () => (await rows()).includes('3 shards · 3 nodes'));
    await picture('reached');
    const { cluster } = await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster: ref });
    assert.equal(cluster.nodes.length, 3);
  });
});
