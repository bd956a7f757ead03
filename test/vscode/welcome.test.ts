import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { personAt } from '../support/vscode/person.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));

/** A Kubernetes API that answers every request in the way that the context's name says. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, context, ...rest] = (request.url ?? '').split('/');
  const refuse = (code: number, message: string): void => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
  };
  if (context === 'slow') return;
  if (context === 'signed-out') {
    refuse(401, 'Unauthorized');
    return;
  }
  if (context === 'forbidden') {
    refuse(403, 'pods is forbidden: User "ann" cannot list resource "pods"');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  if (/[?&]watch=(true|1)/.test(request.url ?? '')) {
    response.flushHeaders();
    return;
  }
  const kind = rest.join('/').includes('statefulsets') ? 'StatefulSetList' : 'PodList';
  response.end(JSON.stringify({ kind, apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [] }));
}

describe('what is shown while no cluster is found', { timeout: 10 * 60_000 }, () => {
  let folder: string;
  let api: Server;
  let vscode: VSCodeUnderTest;
  before(async () => {
    api = createServer(answer).listen(0, '127.0.0.1');
    await once(api, 'listening');
    const { port } = api.address() as AddressInfo;
    const names = ['empty', 'forbidden', 'offline', 'signed-out', 'slow'];
    const server = (name: string): string =>
      name === 'offline' ? 'http://127.0.0.1:9' : `http://127.0.0.1:${port}/${name}`;
    folder = await mkdtemp(join(tmpdir(), 'welcome-test-'));
    const kubeconfig = join(folder, 'config');
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', users: [{ name: 'ann', user: { token: 'none' } }] },
      clusters: names.map((name) => ({
        name,
        cluster: { server: server(name), 'insecure-skip-tls-verify': true },
      })),
      contexts: names.map((name) => ({ name, context: { cluster: name, user: 'ann' } })),
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    vscode = await launchVSCode({ extensionPath, env: { KUBECONFIG: kubeconfig }, log: console.log });
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
  });
  after(async () => {
    await vscode.close();
    api.closeAllConnections();
    api.close();
    await rm(folder, { recursive: true, force: true });
  });
  keepOnFailure(() => vscode);
  const { picture } = personAt(() => vscode);

  test('contexts that are collapsed: how to begin', async () => {
    await vscode.page.getByText('Expand a context above').waitFor({ timeout: 30_000 });
    await vscode.page.getByRole('button', { name: 'Start Sandbox' }).waitFor();
    await picture('welcome-collapsed');
  });

  const states = [
    { context: 'slow', text: 'Looking for Redis Clusters. If', button: 'Try Again' },
    { context: 'signed-out', text: 'Signing in to Kubernetes failed', button: 'Try Again' },
    { context: 'forbidden', text: 'You are not allowed to list pods there', button: 'Select Namespaces' },
    { context: 'offline', text: 'The Kubernetes API was not reached', button: 'Try Again' },
    { context: 'empty', text: 'No Redis Cluster was found in', button: 'Deploy Cluster…' },
  ] as const;
  for (const { context, text, button } of states) {
    test(`the context ${context}: “${text}”, with one button that helps`, async () => {
      await vscode.expandRow(context);
      await vscode.page.getByText(text).waitFor({ timeout: 30_000 });
      await vscode.page.locator('.welcome-view:visible').getByRole('button', { name: button }).waitFor();
      await picture(`welcome-${context}`);
      await vscode.treeRow(context).locator('.monaco-tl-twistie').click();
      await vscode.page.getByText('Expand a context above').waitFor();
    });
  }

  test('a cluster: it is gone', async () => {
    await vscode.page.getByRole('button', { name: 'Start Sandbox' }).click();
    await vscode.treeRow('Shard 1').waitFor({ timeout: 60_000 });
    await vscode.page.getByText('Expand a context above').waitFor({ state: 'detached' });
    await picture('welcome-gone');
  });
});
