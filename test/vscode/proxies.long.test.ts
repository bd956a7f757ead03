import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { startCertifiedApi } from '../support/certifiedApi.ts';
import {
  apiServerIn,
  hiddenHost,
  hideApiServer,
  startConnectProxy,
  type ConnectProxy,
} from '../support/connectProxy.ts';
import { launchVSCode } from '../support/launchVSCode.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';
import { accessTo, eventually } from '../support/vscode/kubernetesAccess.ts';
import type { Result, SnapshotResult } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));

describe('an API server that only a proxy reaches', { timeout: 10 * 60_000 }, () => {
  let kubernetes: TestKubernetes;
  let access: KubernetesAccess;
  let proxy: ConnectProxy;
  let folder: string;
  let namespace: string;
  before(async () => {
    kubernetes = await startKubernetes({ log: console.log });
    access = accessTo(kubernetes);
    namespace = await kubernetes.createNamespace('proxy');
    proxy = await startConnectProxy(await apiServerIn(kubernetes.kubeconfig));
    folder = await mkdtemp(join(tmpdir(), 'proxies-'));
    await access.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'single-cluster', namespace, labels: { app: 'redis' } },
      spec: {
        containers: [
          {
            name: 'redis',
            image: 'redis:7.0.15',
            command: ['redis-server', '--cluster-enabled', 'yes', '--protected-mode', 'no'],
            ports: [{ containerPort: 6379 }],
          },
        ],
      },
    });
  });
  after(async () => {
    proxy.close();
    access.close();
    await rm(folder, { recursive: true });
    await kubernetes.deleteNamespace(namespace);
    await kubernetes.stop();
  });

  /** Reads the cluster (API and port-forward), opens a terminal in its pod (exec) and shows its log. */
  async function use(
    settings: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string>>,
  ): Promise<void> {
    const kubeconfig = join(folder, 'config');
    await hideApiServer(kubernetes.kubeconfig, kubeconfig);
    const vscode = await launchVSCode({
      extensionPath,
      settings: { ...settings, 'redisCluster.namespaces': { [kubernetes.context]: [namespace] } },
      env: { KUBECONFIG: kubeconfig, ...env },
      log: console.log,
    });
    try {
      const cluster = { context: kubernetes.context, namespace, name: 'single-cluster' };
      const read = (): Promise<SnapshotResult & Result> =>
        vscode.command('redisCluster.snapshot', { cluster });
      await eventually('the cluster is read through the proxy', 90, async () => {
        const { cluster: found } = await read();
        return found.nodes.length === 1;
      });
      const [node] = (await read()).cluster.nodes;
      const before = proxy.asked.length;
      const opened = await vscode.command<Result>('redisCluster.openRedisCli', { cluster, node: node?.id });
      assert.equal(opened.outcome, 'done', opened.message);
      await eventually('exec goes through the proxy', 30, () => Promise.resolve(proxy.asked.length > before));
      const logs = await vscode.command<Result>('redisCluster.showLogs', { cluster, node: node?.id });
      assert.equal(logs.outcome, 'done', logs.message);
      await eventually('the log is shown', 30, () =>
        vscode.evaluate((editor) =>
          editor.workspace.textDocuments.some((one) => one.getText().includes('Running mode=cluster')),
        ),
      );
      assert.deepEqual(
        new Set(proxy.asked.filter((one) => one.includes('invalid'))),
        new Set([`${hiddenHost}:6443`]),
      );
    } finally {
      await vscode.close();
    }
  }

  test('by the setting http.proxy', () => use({ 'http.proxy': proxy.url }, {}));
  test('by the variable HTTPS_PROXY, beside a NO_PROXY for others', () =>
    use(
      {},
      { HTTPS_PROXY: proxy.url, https_proxy: proxy.url, NO_PROXY: 'example.com', no_proxy: 'example.com' },
    ));
});

test(
  'a client certificate and the name of the server count without any proxy',
  { timeout: 5 * 60_000 },
  async () => {
    // VS Code leaves 127.0.0.1 and localhost alone.
    const api = await startCertifiedApi('127.0.0.2', 'editor');
    const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
    const kubeconfig = join(folder, 'config');
    await writeFile(kubeconfig, api.kubeconfig);
    const vscode = await launchVSCode({ extensionPath, env: { KUBECONFIG: kubeconfig }, log: console.log });
    try {
      const cluster = { context: 'certified', namespace: 'shop', name: 'cart' };
      const { message } = await vscode.command<Result>('redisCluster.snapshot', { cluster });
      assert.ok(api.shown.length > 0, message);
      assert.deepEqual([...new Set(api.shown)], ['editor']);
    } finally {
      await vscode.close();
      await api.stop();
      await rm(folder, { recursive: true });
    }
  },
);
