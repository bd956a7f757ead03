import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Inventory } from '../../src/inventory/inventory.ts';
import { isUnread, whyUnread } from '../../src/model/unread.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { connectNode, readNodeView } from '../../src/redis/entry.ts';
import type { Credentials } from '../../src/redis/nodeConnection.ts';
import { adapterImage, startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

let fixture: AdapterFixture;
let inventory: Inventory;
let signedIn: Credentials | undefined;

const times = { connectTimeoutMs: 2_500, commandTimeoutMs: 2_500 };

before(async () => {
  fixture = await startAdapterFixture();
  const { access, namespace, context } = fixture;
  const labels = { app: 'tiny-cluster' };
  const container = {
    name: 'redis',
    image: adapterImage,
    command: ['redis-server', '--cluster-enabled', 'yes', '--protected-mode', 'no', '--dir', '/tmp'],
    ports: [{ containerPort: 6379 }],
  };
  await access.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'tiny-cluster', namespace },
    spec: {
      serviceName: 'tiny-cluster',
      replicas: 2,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
    },
  });
  await fixture.readyPod('tiny-cluster-0');
  await fixture.readyPod('tiny-cluster-1');
  const restricted = fixture.accessAs({ token: await tokenOfOneNamespace() });
  inventory = new Inventory({
    redis: () =>
      Promise.resolve({
        connectNode: (endpoint, credentials) => connectNode(endpoint, credentials, times),
        connectPatiently: (endpoint, credentials) => connectNode(endpoint, credentials, times),
        readNodeView,
      }),
    signedIn: () => Promise.resolve(signedIn),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  inventory.setContexts([
    { name: context, namespaces: [], fingerprint: '', open: () => Promise.resolve(restricted) },
  ]);
});

after(async () => {
  inventory.dispose();
  await fixture.stop();
});

/** A ServiceAccount that may look at and forward to pods of the fixture's namespace, and nothing else. */
async function tokenOfOneNamespace(): Promise<string> {
  const { access, namespace } = fixture;
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  const metadata = { name: 'reader', namespace };
  await access.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await access.create({
    ...{ ...rbac, kind: 'Role', metadata },
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create', 'get'] },
      { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['list', 'watch'] },
    ],
  });
  await access.create({
    ...{ ...rbac, kind: 'RoleBinding', metadata },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
  });
  const annotations = { 'kubernetes.io/service-account.name': 'reader' };
  await access.create({
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token' },
    metadata: { name: 'reader-token', namespace, annotations },
  });
  return until(() => access.readSecret(namespace, { secret: 'reader-token', key: 'token' }));
}

test('who may look at one namespace only reads its clusters, and is told about the rest', async () => {
  const { context, namespace } = fixture;
  const read = await inventory.fresh({ context, namespace, name: 'tiny-cluster' });
  assert.deepEqual(
    read.nodes.map((node) => [node.pod?.name, node.view?.version]),
    [
      ['tiny-cluster-0', '7.0.15'],
      ['tiny-cluster-1', '7.0.15'],
    ],
  );
  const [state] = inventory.contexts();
  assert.ok(state !== undefined);
  await assert.rejects(inventory.fresh({ context, namespace: 'kube-system', name: 'other' }), {
    reason: 'forbidden',
    message: /kube-system/,
  });
});

test('a pod that is deleted while somebody looks is noticed, and so is the one that follows it', async () => {
  const { context, namespace, access } = fixture;
  const ref = { context, namespace, name: 'tiny-cluster' };
  const release = inventory.need({ context });
  try {
    const before = (await inventory.fresh(ref)).nodes.map((node) => node.id);
    await access.delete('v1', 'Pod', namespace, 'tiny-cluster-1');
    await until(() => {
      const now =
        inventory.snapshot(ref)?.nodes.flatMap((node) => (node.view === undefined ? [] : node.id)) ?? [];
      return Promise.resolve(now.length === 2 && now.some((id) => !before.includes(id)) ? now : undefined);
    });
  } finally {
    release();
  }
});

test('servers that let in another user only are read once a person has signed in as that one', async () => {
  const { context, namespace } = fixture;
  const ref = { context, namespace, name: 'tiny-cluster' };
  const release = inventory.need({ context });
  try {
    const dialer = await inventory.dialer(ref);
    for (const { id } of (await inventory.fresh(ref)).nodes)
      await withConnection({ dialer }, id, async (connection) => {
        await connection.call('ACL', 'SETUSER', 'ops', 'on', '>right', '~*', '&*', '+@all');
        await connection.call('ACL', 'SETUSER', 'default', 'off');
      });
    await inventory.reconnect(ref);
    const locked = await inventory.look(ref);
    assert.ok(isUnread(locked));
    assert.equal(whyUnread(locked), 'the servers require a password');
    const wrong = { username: 'ops', password: 'wrong' };
    await assert.rejects(inventory.trySignIn(ref, wrong), { reason: 'sign-in-needed' });
    const right = { username: 'ops', password: 'right' };
    await inventory.trySignIn(ref, right);
    signedIn = right;
    await inventory.reconnect(ref);
    assert.equal((await inventory.fresh(ref)).nodes.length, 2);
    assert.deepEqual((await inventory.dialer(ref)).credentials, right);
  } finally {
    release();
  }
});
