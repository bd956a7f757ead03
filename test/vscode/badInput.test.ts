import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { keepOnFailure, launchVSCode, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { startKubernetes, type TestKubernetes } from '../support/startKubernetes.ts';
import { accessTo, eventually } from '../support/vscode/kubernetesAccess.ts';
import type { Result } from '../support/vscode/results.ts';

const extensionPath = fileURLToPath(new URL('../..', import.meta.url));

interface Kubeconfig {
  clusters: { name: string; cluster: object }[];
  users: { name: string; user: object }[];
  contexts: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  'current-context'?: string;
}

describe('bad input', { timeout: 20 * 60_000 }, () => {
  let kubernetes: TestKubernetes;
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let folder: string;
  let namespace: string;
  before(async () => {
    kubernetes = await startKubernetes({ log: console.log });
    access = accessTo(kubernetes);
    namespace = await kubernetes.createNamespace('bad');
    folder = await mkdtemp(join(tmpdir(), 'kubeconfigs-'));
    const config = parse(await readFile(kubernetes.kubeconfig, 'utf8')) as Kubeconfig;
    const good = config.contexts.find((one) => one.name === kubernetes.context);
    assert.ok(good !== undefined);
    config.clusters.push({ name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } });
    config.users.push({ name: 'expired', user: { token: 'not-accepted-any-more' } });
    config.contexts.push({ name: 'unreachable', context: { ...good.context, cluster: 'nowhere' } });
    config.contexts.push({ name: 'expired', context: { ...good.context, user: 'expired' } });
    config.users.push({ name: 'guest', user: { token: await guestToken() } });
    config.contexts.push({ name: 'guest', context: { ...good.context, user: 'guest', namespace } });
    await writeFile(join(folder, 'config'), stringify(config), { mode: 0o600 });
    await writeFile(join(folder, 'broken'), 'clusters: [}', { mode: 0o600 });
    const settings = {
      'redisCluster.kubeconfigs': [join(folder, 'config'), join(folder, 'broken'), join(folder, 'missing')],
      'redisCluster.namespaces': { [kubernetes.context]: [namespace] },
    };
    vscode = await launchVSCode({ extensionPath, settings, log: console.log });
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
  });
  /** The token of a ServiceAccount that has no rights at all. */
  const guestToken = async (): Promise<string> => {
    await access.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'guest', namespace } });
    const annotations = { 'kubernetes.io/service-account.name': 'guest' };
    const metadata = { name: 'guest-token', namespace, annotations };
    await access.create({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata,
    });
    let token: string | undefined;
    await eventually('the ServiceAccount has a token', 20, async () => {
      token = await access.readSecret(namespace, { secret: 'guest-token', key: 'token' });
      return token !== undefined;
    });
    return token ?? '';
  };
  after(async () => {
    await vscode.close();
    access.close();
    await rm(folder, { recursive: true, force: true });
    await kubernetes.stop();
  });
  keepOnFailure(() => vscode);
  const deploy = (answers: object): Promise<Result> =>
    vscode.command('redisCluster.deploy', {
      context: kubernetes.context,
      namespace,
      name: 'shop',
      ...answers,
    });
  const nothingMade = async (): Promise<void> => {
    for (const [version, kind] of [
      ['apps/v1', 'StatefulSet'],
      ['v1', 'Pod'],
      ['v1', 'Secret'],
      ['v1', 'Service'],
    ] as const) {
      const made = (await access.list(version, kind, namespace)).filter(
        ({ metadata }) => metadata.name !== 'guest-token',
      );
      assert.deepEqual(made, [], kind);
    }
  };

  test('a kubeconfig that is broken or missing is a row of its own, and the others work', async () => {
    await vscode.treeRow(/broken cannot be read/).waitFor();
    await vscode.treeRow(/missing cannot be read/).waitFor();
    await vscode.expandRow(kubernetes.context);
    await vscode.treeRow('No Redis Cluster found').waitFor({ timeout: 30_000 });
  });

  test('an API that does not answer and a token that is not accepted say so on their own rows', async () => {
    await vscode.expandRow('unreachable');
    await vscode
      .treeRow(/unreachable.*(refused|cannot be reached|not be reached|not reached)/i)
      .nth(0)
      .waitFor({ timeout: 30_000 });
    await vscode.expandRow('expired');
    await vscode.treeRow(/token|sign in/i).waitFor({ timeout: 30_000 });
    await vscode.screenshot('failures-dark');
    const refused = await vscode.command<Result>('redisCluster.check', {
      cluster: { context: 'expired', namespace, name: 'shop' },
    });
    assert.equal(refused.outcome, 'failed');
    assert.match(refused.message, /expired/);
    const unreachable = await vscode.command<Result>('redisCluster.check', {
      cluster: { context: 'unreachable', namespace, name: 'shop' },
    });
    assert.equal(unreachable.outcome, 'failed');
  });

  test('a namespace that one may not look at says so, and nothing can be deployed there', async () => {
    await vscode.expandRow('guest');
    await vscode.treeRow(/^guest\s*no permission/).waitFor({ timeout: 30_000 });
    const cluster = { context: 'guest', namespace, name: 'shop' };
    const unseen = await vscode.command<Result>('redisCluster.check', { cluster });
    assert.equal(unseen.outcome, 'failed');
    assert.match(unseen.message, /list (pods|statefulsets).*guest/s);
    const undeployed = await vscode.command<Result>('redisCluster.deploy', {
      context: 'guest',
      namespace,
      name: 'shop',
    });
    assert.equal(undeployed.outcome, 'failed');
    assert.match(undeployed.message, /may not|not allowed/i);
    await nothingMade();
  });

  test('without a default StorageClass nothing is deployed', async (t) => {
    if (kubernetes.kind === 'given') {
      t.skip('the StorageClasses of a given Kubernetes are not touched');
      return;
    }
    const classes = await access.list('storage.k8s.io/v1', 'StorageClass', '');
    try {
      for (const one of classes)
        await access.delete('storage.k8s.io/v1', 'StorageClass', '', one.metadata.name);
      const result = await deploy({});
      assert.equal(result.outcome, 'refused', result.message);
      assert.match(result.message, /StorageClass/);
      await nothingMade();
    } finally {
      for (const { metadata, ...rest } of classes) {
        const { name, annotations = {} } = metadata;
        await access.create({ ...rest, metadata: { name, annotations } });
      }
    }
  });

  test('contexts, namespaces and clusters that are not there are named', async () => {
    const at = (cluster: object): Promise<Result> => vscode.command('redisCluster.check', { cluster });
    const unknown = await at({ context: 'nobody', namespace, name: 'shop' });
    assert.match(unknown.message, /no kubeconfig context "nobody".*Known contexts/);
    const missing = await at({ context: kubernetes.context, namespace, name: 'shop' });
    assert.match(missing.message, /no Redis Cluster shop in namespace/);
    const nonsense = await at({ name: 3 });
    assert.match(nonsense.message, /Name a cluster by/);
    const closed = await at({ addresses: ['127.0.0.1:1'] });
    assert.match(closed.message, /127\.0\.0\.1:1 cannot be read: the servers could not be reached/);
    for (const result of [unknown, missing, nonsense]) assert.equal(result.outcome, 'refused');
  });

  test('answers that cannot be deployed are refused and nothing is made', async () => {
    const refusals: readonly [object, RegExp][] = [
      [{ name: 'Shop_1' }, /Shop_1/],
      [{ masters: 2 }, /3/],
      [{ storage: 'much' }, /much/],
      [{ namespace: 'does-not-exist' }, /does-not-exist/],
      [{ masters: 'three' }, /"masters" must be a whole number/],
    ];
    for (const [answers, message] of refusals) {
      const result = await deploy(answers);
      assert.equal(result.outcome, 'refused', `${JSON.stringify(answers)}: ${result.message}`);
      assert.match(result.message, message);
    }
    await nothingMade();
  });

  test('a name that is taken is refused and what has it is left as it is', async () => {
    const taken = {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop-config', namespace } },
      data: { mine: 'yes' },
    };
    await access.create(taken);
    const result = await deploy({});
    assert.equal(result.outcome, 'refused', result.message);
    assert.match(result.message, /shop-config/);
    assert.deepEqual((await access.get('v1', 'ConfigMap', namespace, 'shop-config'))?.['data'], {
      mine: 'yes',
    });
    await access.delete('v1', 'ConfigMap', namespace, 'shop-config');
    await nothingMade();
  });

  test('an image that cannot be pulled is said with the pod, instead of waiting for ever', async () => {
    const result = await deploy({ image: 'no-such-registry.invalid/redis:0' });
    assert.equal(result.outcome, 'partial');
    assert.match(result.message, /shop-\d/);
    assert.match(result.message, /no-such-registry\.invalid/);
    await vscode.treeRow('shop').waitFor({ timeout: 30_000 });
    await vscode.screenshot('image-dark');
    const cluster = { context: kubernetes.context, namespace, name: 'shop' };
    const deleted = await vscode.command<Result>('redisCluster.delete', {
      cluster,
      volumes: true,
      confirmed: true,
    });
    assert.equal(deleted.outcome, 'done', deleted.message);
    await nothingMade();
  });
});
