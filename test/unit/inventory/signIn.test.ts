import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import { checkingNames, signInWith } from '../../../src/inventory/signIn.ts';
import type { Candidate, KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { clusterKey } from '../../../src/model/clusterRef.ts';
import { TlsRequired, UserError } from '../../../src/model/errors.ts';
import { isUnread, mayNeedSignIn } from '../../../src/model/unread.ts';
import type { Credentials, NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { ids, pod, view } from '../sample.ts';

const right = { username: 'ops', password: 'right' };

/** Six servers in two workloads that want a user of their own, in a namespace whose Secret has another password. */
function inventoryOf({ isTls = false, mayReadSecret = true } = {}) {
  const stored = new Map<string, Credentials>();
  const dialled: Credentials[] = [];
  const candidates = ['cluster-a', 'cluster-b'].map((name, index): Candidate => {
    const own = ids.slice(index * 3, index * 3 + 3);
    return {
      namespace: 'shop',
      workload: { kind: 'StatefulSet', name, replicas: 3, readyReplicas: 3, bundled: false },
      pods: own.map((id) => pod(id, view(id).self.host, { workload: name })),
      passwordFrom: { secret: 'shop', key: 'password' },
    };
  });
  const refused = new UserError('forbidden', 'Not allowed to get secrets.');
  const access = {
    context: 'test',
    discover: () => Promise.resolve(candidates),
    watch: () => () => undefined,
    forward: (_: string, name: string) => Promise.resolve({ path: `/${name}`, close: () => undefined }),
    readSecret: () => (mayReadSecret ? Promise.resolve('old') : Promise.reject(refused)),
    get: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    may: () => Promise.resolve(false),
    close: () => undefined,
  } as unknown as KubernetesAccess;
  const connectNode: RedisReading['connectNode'] = (endpoint, credentials) => {
    dialled.push(credentials);
    if (isTls && credentials.tls === undefined) return Promise.reject(new TlsRequired('it'));
    if (credentials.username !== 'ops' || credentials.password !== 'right')
      return Promise.reject(new UserError('sign-in-needed', 'Redis requires a password.'));
    const id = 'path' in endpoint ? endpoint.path.slice(1) : '';
    return Promise.resolve({ id, close: () => undefined } as unknown as NodeConnection);
  };
  const redis: RedisReading = {
    connectNode,
    connectPatiently: connectNode,
    readNodeView: (connection) => Promise.resolve(view((connection as unknown as { id: string }).id)),
  };
  const inventory = new Inventory({
    redis: () => Promise.resolve(redis),
    signedIn: (ref) => Promise.resolve(stored.get(clusterKey(ref))),
    addressSource: () => assert.fail('there is none'),
  });
  inventory.setContexts([
    { name: 'test', namespaces: ['shop'], fingerprint: '', open: () => Promise.resolve(access) },
  ]);
  return { inventory, stored, dialled };
}

const refOf = (name: string) => ({ context: 'test', namespace: 'shop', name });

for (const mayReadSecret of [true, false]) {
  const what = mayReadSecret ? 'has another password' : 'may not be read';
  test(`a sign-in wins over the Secret, which ${what}`, async (t) => {
    const { inventory, stored, dialled } = inventoryOf({ mayReadSecret });
    t.after(() => {
      inventory.dispose();
    });
    const release = inventory.need({ context: 'test' });
    const before = await inventory.look(refOf('cluster-a'));
    assert.ok(isUnread(before));
    assert.ok(mayNeedSignIn(before));
    await assert.rejects(inventory.trySignIn(before.ref, { ...right, password: 'wrong' }), {
      reason: 'sign-in-needed',
    });
    await inventory.trySignIn(before.ref, right);
    assert.equal(stored.size, 0, 'a try stores nothing');
    stored.set(clusterKey(before.ref), right);
    await inventory.reconnect(before.ref);
    dialled.length = 0;
    // Read, the workloads turn out to be one cluster, which has a name of its own.
    await inventory.look(before.ref).catch(() => undefined);
    const cluster = await inventory.fresh(refOf('cluster'));
    assert.deepEqual(
      cluster.nodes.map(({ health }) => health),
      ids.map(() => 'ok'),
    );
    assert.deepEqual((await inventory.dialer(refOf('cluster'))).credentials, right);
    stored.clear();
    await inventory.reconnect(refOf('cluster'));
    assert.ok(isUnread(await inventory.look(refOf('cluster'))));
    release();
  });
}

test('servers that turn out to speak TLS are not dialled in plain text again, whichever pod they are in', async (t) => {
  const { inventory, stored, dialled } = inventoryOf({ isTls: true });
  t.after(() => {
    inventory.dispose();
  });
  const release = inventory.need({ context: 'test' });
  for (const name of ['cluster-a', 'cluster-b', 'cluster']) stored.set(clusterKey(refOf(name)), right);
  const isPlain = ({ tls }: Credentials): boolean => tls === undefined;
  const { nodes } = await inventory.fresh(refOf('cluster'));
  assert.equal(nodes.length, 6);
  const plain = dialled.filter(isPlain).length;
  await inventory.reconnect(refOf('cluster'));
  await inventory.fresh(refOf('cluster'));
  assert.equal(dialled.filter(isPlain).length, plain);
  assert.deepEqual((await inventory.dialer(refOf('cluster'))).credentials, { ...right, tls: {} });
  release();
});

test('what a person has stored replaces user and password as a pair, and TLS by itself', () => {
  const found = { password: 'found', previousPassword: 'before', tls: { ca: 'found' } };
  assert.deepEqual(signInWith(found, undefined), found);
  assert.deepEqual(signInWith(found, { username: 'ops', password: 'x' }), {
    ...{ username: 'ops', password: 'x', tls: { ca: 'found' } },
  });
  assert.deepEqual(signInWith(found, { tls: { ca: 'mine' } }), { ...found, tls: { ca: 'mine' } });
});

test('by address a certificate has to bear the name that was given, unless an empty one turns that off', () => {
  const named = { addresses: ['redis.example:6379'] };
  const unnamed = { addresses: ['10.0.0.1:6379'] };
  const serverName = (tls: Credentials['tls'], host: string, ref = named): string | undefined =>
    checkingNames({ ...(tls === undefined ? {} : { tls }) }, host, ref).tls?.serverName;
  assert.equal(serverName({}, '10.0.0.7'), 'redis.example');
  assert.equal(
    serverName({}, 'node-7.example'),
    undefined,
    'it is checked for the name by which it is dialled',
  );
  assert.equal(serverName({ serverName: 'other.example' }, '10.0.0.7'), 'other.example');
  assert.equal(serverName({ serverName: '' }, '10.0.0.7'), '');
  assert.equal(serverName({}, '10.0.0.7', unnamed), undefined);
  assert.deepEqual(checkingNames({ password: 'x' }, '10.0.0.7', named), { password: 'x' });
});
