import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../../src/model/clusterRef.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { startTlsCluster } from '../support/redis/tlsCluster.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { personAt } from '../support/vscode/person.ts';
import type { Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));
/** Looked for in everything that is written. */
const planted = 'planted-a1b2c3';

describe('signing in', { timeout: 10 * 60_000 }, () => {
  let servers: TestCluster;
  let tlsServers: Awaited<ReturnType<typeof startTlsCluster>>;
  let vscode: VSCodeUnderTest;
  let cluster: { addresses: readonly string[] };
  let address: string;
  before(async () => {
    [servers, tlsServers] = await Promise.all([startRedisCluster(), startTlsCluster(planted)]);
    for (const { id } of servers.nodes)
      await withConnection(servers, id, async (connection) => {
        await connection.call('CONFIG', 'SET', 'masterauth', planted);
        await connection.call('CONFIG', 'SET', 'masteruser', 'ops');
        await connection.call('ACL', 'SETUSER', 'ops', 'on', `>${planted}`, '~*', '&*', '+@all');
        await connection.call('ACL', 'SETUSER', 'few', 'on', `>${planted}`, '+cluster|nodes', '+ping');
        await connection.call('ACL', 'SETUSER', 'default', 'off');
      });
    cluster = { addresses: servers.addresses.slice(0, 1) };
    [address = ''] = cluster.addresses;
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
    await tlsServers.stop();
  });
  keepOnFailure(() => vscode);
  const { picture, asked, dialog, told } = personAt(() => vscode);
  const isConnected = async (server: string): Promise<boolean> => {
    const times = { connectTimeoutMs: 5000, commandTimeoutMs: 5000 };
    const connection = await connectNode(parseAddress(server), tlsServers.credentials, times);
    const clients = String(await connection.call('CLIENT', 'LIST'));
    connection.close();
    return clients.includes('name=from-the-terminal');
  };
  const rows = async (): Promise<string> => (await vscode.rowTexts()).join('\n');

  test('by the button of the row: what is wrong is said and asked again, and what was typed is kept', async () => {
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.expandRow(address);
    await vscode.treeRow(/Cannot be read/).waitFor({ timeout: 30_000 });
    await vscode.treeRow(address).hover();
    await picture('sign-in-row');
    await vscode.rowAction(address, 'Sign In…');
    assert.match(
      await asked(/Enter the user name/),
      /Sign In to .*: User Name.*1\/3.*the servers require a password/s,
    );
    await picture('sign-in-user');
    await vscode.typeInput('ops');
    await asked(/Enter the password/);
    await vscode.typeInput('wrong');
    await asked(/Select whether the servers use TLS/);
    await picture('sign-in-tls');
    await vscode.pick('No TLS');
    await asked(/rejected the user name and password/);
    await picture('sign-in-wrong');
    await vscode.page.getByRole('button', { name: 'Back' }).click();
    await asked(/Enter the user name/);
    const user = vscode.page.locator('.quick-input-widget:visible input.input');
    assert.equal(await user.inputValue(), 'ops');
    await user.press('Enter');
    await asked(/Enter the password/);
    await vscode.typeInput(planted);
    await asked(/Select whether the servers use TLS/);
    await vscode.pick('No TLS');
    await eventually('the cluster is read', 30, async () =>
      (await rows()).includes('healthy · 3 shards · 6 nodes'),
    );
    await picture('signed-in');
  });

  test('Create Operator User… shows its plan, and goes on as the user with the least rights', async () => {
    await vscode.rowMenu(address, 'Create Operator User…');
    await asked(/Enter a name for the user/);
    await picture('operator-user-name');
    await vscode.page.keyboard.press('Enter');
    assert.match(await dialog(), /secret storage.*only the commands that this extension uses/s);
    await picture('operator-user-plan');
    await vscode.pressDialog('Create User');
    await told(/Created user redis-cluster-operator on all servers/, 30);
    await picture('operator-user-done');
    await vscode.command('notifications.clearAll');
    const times = { connectTimeoutMs: 5000, commandTimeoutMs: 5000 };
    const ops = await connectNode(parseAddress(address), { username: 'ops', password: planted }, times);
    await eventually('the servers are read as that user', 30, async () =>
      String(await ops.call('CLIENT', 'LIST')).includes('user=redis-cluster-operator'),
    );
    ops.close();
  });

  test('once signed in the cluster is changed as that user, and signing out forgets it', async () => {
    const { cluster: read } = await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster });
    const masters = read.nodes.filter(({ role }) => role === 'master');
    const moved = await vscode.command<Result>('redisCluster.reshard', {
      ...{ cluster, to: masters[0]?.id, from: [masters[1]?.id], slots: 50, confirmed: true },
    });
    assert.equal(moved.outcome, 'done', moved.message);
    await vscode.rowMenu(address, 'Sign Out');
    await vscode.treeRow(/Cannot be read/).waitFor({ timeout: 30_000 });
    const again = await vscode.command<Result>('redisCluster.signOut', { cluster });
    assert.deepEqual([again.outcome, again.message.includes('not signed in')], ['refused', true]);
  });

  test('by argument: refused with the reason, stored when it is right, shown as far as the user may look', async () => {
    const signIn = (answers: object): Promise<Result> =>
      vscode.command<Result>('redisCluster.signIn', { cluster, ...answers });
    const wrong = await signIn({ username: 'ops', password: `${planted}-wrong` });
    assert.match(wrong.message, /rejected the user name and password/);
    assert.notEqual(wrong.outcome, 'done');
    assert.match((await signIn({ tls: { ca: 'x' } })).message, /neither PEM text nor the absolute path/);
    const few = await signIn({ username: 'few', password: planted });
    assert.equal(few.outcome, 'done', few.message);
    await vscode.command('notifications.clearAll');
    await vscode.treeRow(/Denied on all nodes/).waitFor({ timeout: 30_000 });
    await picture('sign-in-few-rights');
    const flush = await vscode.command<Result>('redisCluster.flush', { cluster, confirmed: true });
    assert.match(flush.message, /may not run .*INFO .*Nothing was changed/);
    await vscode.command('notifications.clearAll');
    const done = await signIn({ username: 'ops', password: planted });
    assert.equal(done.outcome, 'done', done.message);
    await vscode.command('notifications.clearAll');
  });

  test('a cluster that is added by address asks for its certificates in the same dialog', async () => {
    const { tls } = tlsServers.credentials;
    const [first = ''] = tlsServers.addresses;
    await vscode.palette('Redis Cluster: Add Cluster by Address…');
    await asked(/Addresses of one or more nodes/);
    await vscode.typeInput(first);
    await asked(/certificate of Redis at localhost.* was rejected/);
    await vscode.typeInput('ops');
    await asked(/Enter the password/);
    await vscode.typeInput(planted);
    await asked(/Select whether the servers use TLS/);
    await vscode.pick(/own certificate authority/);
    await asked(/Enter the path of the certificate authority/);
    await vscode.typeInput('/nonexistent/ca.crt');
    await asked(/could not be read: ENOENT/);
    await picture('sign-in-ca');
    await vscode.typeInput((tls.ca ?? '').replaceAll('\n', ' '));
    await asked(/Enter the path of the client certificate/);
    await vscode.typeInput((tls.cert ?? '').replaceAll('\n', ' '));
    await asked(/Enter the path of the client key/);
    await vscode.typeInput((tls.key ?? '').replaceAll('\n', ' '));
    await asked(/Enter the name that the server’s certificate must contain/);
    await picture('sign-in-server-name');
    await vscode.page.keyboard.press('Enter');
    await eventually('the cluster is read', 30, async () =>
      (await rows()).includes('healthy · 2 shards · 4 nodes'),
    );
    await picture('signed-in-tls');
  });

  test('redis-cli is signed in, and no secret is among what its terminal was started with', async () => {
    const [first = ''] = tlsServers.addresses;
    const own = { addresses: [first] };
    const { cluster: read } = await vscode.command<SnapshotResult>('redisCluster.snapshot', { cluster: own });
    const [node] = read.nodes;
    assert.ok(node !== undefined);
    await vscode.command('redisCluster.openRedisCli', { cluster: own, node: node.id });
    const options = await vscode.evaluate(({ window }) =>
      JSON.stringify(window.terminals.map(({ creationOptions }) => creationOptions)),
    );
    assert.match(options, /--tls/);
    assert.ok(!options.includes(planted));
    await eventually('redis-cli has a name', 20, async () => {
      // What is typed before it has started is lost.
      await vscode.evaluate(({ window }) =>
        window.activeTerminal?.sendText('CLIENT SETNAME from-the-terminal'),
      );
      return isConnected(node.address);
    });
    await vscode.evaluate(({ window }) => window.activeTerminal?.dispose());
    const folder = /[^"]*redis-cli-[^/"]*/.exec(options)?.[0] ?? '';
    await eventually('its files are gone', 10, () => Promise.resolve(!existsSync(folder)));
  });

  test('nothing that was entered stands in anything that was written or started', async () => {
    const folder = await vscode.evaluate(() => process.env['TMPDIR'] ?? '');
    const key = (tlsServers.credentials.tls.key ?? '').split('\n')[1] ?? planted;
    const found: string[] = [];
    for (const file of await filesIn(join(folder, '..'))) {
      const text = await readFile(file, 'latin1').catch(() => '');
      if (text.includes(planted) || text.includes(key)) found.push(file);
    }
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const text = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      if (text.includes(planted)) found.push(text);
    }
    assert.deepEqual(found, []);
  });
});

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
