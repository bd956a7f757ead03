import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretReading, type Demand } from '../../../src/inventory/secretReading.ts';
import type { Container, PodSpec } from '../../../src/kubernetes/apiObjects.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { Credentials } from '../../../src/redis/nodeConnection.ts';
import { candidateOf } from '../kubernetes/specs.ts';

type Objects = Readonly<Record<string, Readonly<Record<string, string>> | Error>>;

/** Objects by `<kind>/<name>`, and which of them were read. */
function reading(objects: Objects): { readonly secrets: SecretReading; readonly read: string[] } {
  const read: string[] = [];
  const access: Partial<KubernetesAccess> = {
    readTexts: (namespace, kind, name) => {
      assert.equal(namespace, 'ns');
      read.push(`${kind}/${name}`);
      const found = objects[`${kind}/${name}`];
      if (found instanceof Error) return Promise.reject(found);
      return Promise.resolve(found && new Map(Object.entries(found)));
    },
  };
  return { secrets: new SecretReading(access as KubernetesAccess), read };
}

const withFile: Partial<PodSpec> = {
  volumes: [
    { name: 'conf', configMap: { name: 'settings' } },
    { name: 'certs', secret: { secretName: 'crt' } },
  ],
};
const mounted: Partial<Container> = {
  volumeMounts: [
    { name: 'conf', mountPath: '/conf' },
    { name: 'certs', mountPath: '/tls' },
  ],
};
const fromSecret = (name: string, secret: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key: 'pw' } },
});
const forbidden = (what: string): UserError => new UserError('forbidden', `Not allowed to get ${what}`);

/** A server that speaks TLS, or has a password, or both. */
const server =
  (wanted: { readonly password?: string; readonly tls?: boolean }, asked: Credentials[] = []): Demand =>
  (shown) => {
    asked.push(shown);
    if (wanted.tls === true && shown.tls === undefined) return Promise.resolve('tls');
    return Promise.resolve(shown.password === wanted.password ? 'nothing' : 'password');
  };

test('nothing is read for a server that demands nothing', async () => {
  const { secrets, read } = reading({ 'configmaps/settings': { 'redis.conf': 'requirepass x' } });
  const env = [{ name: 'VALKEY_USER', value: '_operator' }, fromSecret('VALKEYCLI_AUTH', 'system')];
  const candidate = candidateOf({ ...mounted, env, envFrom: [{ secretRef: { name: 'all' } }] }, withFile);
  assert.deepEqual(await secrets.credentials(candidate, server({})), {});
  assert.deepEqual(await secrets.credentials(candidate), {}, 'what it demanded last counts for operations');
  assert.deepEqual(read, []);
});

test('what a server demands is read from the place that has it', async () => {
  const cases: readonly (readonly [string, Partial<Container>, Objects, Partial<Credentials>])[] = [
    [
      'requirepass in a ConfigMap',
      mounted,
      { 'configmaps/settings': { 'redis.conf': 'requirepass x', 'sentinel.conf': 'requirepass other' } },
      { password: 'x', foundIn: 'password from requirepass in ConfigMap settings/redis.conf' },
    ],
    [
      'a user in an ACL file',
      mounted,
      { 'configmaps/settings': { 'users.acl': 'user ops on >x +@all' } },
      {
        username: 'ops',
        password: 'x',
        foundIn: 'user ops, password from user in ConfigMap settings/users.acl',
      },
    ],
    [
      'masterauth, but a later file has the password of clients',
      mounted,
      { 'configmaps/settings': { 'a.conf': 'masterauth other', 'b.conf': 'requirepass x' } },
      { password: 'x', foundIn: 'password from requirepass in ConfigMap settings/b.conf' },
    ],
    [
      'envFrom',
      { envFrom: [{ prefix: 'REDIS_', secretRef: { name: 'all' } }] },
      { 'secrets/all': { PASSWORD: 'x' } },
      { password: 'x', foundIn: 'password from Secret all/PASSWORD' },
    ],
    [
      'the user of probes',
      { env: [{ name: 'VALKEY_USER', value: '_operator' }, fromSecret('VALKEYCLI_AUTH', 'system')] },
      { 'secrets/system': { pw: 'x' } },
      { username: '_operator', password: 'x', foundIn: 'user _operator, password from Secret system/pw' },
    ],
  ];
  for (const [what, parts, objects, expected] of cases) {
    const { secrets } = reading(objects);
    const candidate = candidateOf(parts, withFile);
    assert.deepEqual(await secrets.credentials(candidate, server({ password: 'x' })), expected, what);
    assert.deepEqual(await secrets.credentials(candidate), expected, `${what}, for an operation`);
  }
});

test('TLS that only a file says is read when plain text is cut off, and not tried in plain text again', async () => {
  const conf =
    'port 0\ntls-port 6379\ntls-ca-cert-file /tls/ca.crt\ntls-cert-file /tls/tls.crt\ntls-key-file /tls/tls.key';
  const { secrets } = reading({
    'configmaps/settings': { 'redis.conf': `${conf}\nrequirepass x` },
    'secrets/crt': { 'ca.crt': 'CA', 'tls.crt': 'CERT', 'tls.key': 'KEY' },
  });
  const asked: Credentials[] = [];
  const found = await secrets.credentials(
    candidateOf(mounted, withFile),
    server({ password: 'x', tls: true }, asked),
  );
  assert.deepEqual([found.password, found.tls], ['x', { ca: 'CA', cert: 'CERT', key: 'KEY' }]);
  assert.equal(asked.filter(({ tls }) => tls === undefined).length, 1);
  await secrets.credentials(candidateOf(mounted, withFile), server({ password: 'x', tls: true }, asked));
  assert.equal(asked.filter(({ tls }) => tls === undefined).length, 1);
});

test('without an authority of its own the system’s are trusted, and half a client certificate is none', async () => {
  const { secrets } = reading({ 'secrets/crt': { 'tls.crt': 'CERT' } });
  assert.deepEqual((await secrets.credentials(candidateOf({}), server({ tls: true }))).tls, {});
  const other = candidateOf(mounted, withFile);
  assert.deepEqual((await secrets.credentials({ ...other, uid: 'b' }, server({ tls: true }))).tls, {});
});

test('a right that is missing is the reason, unless the password is in another place', async () => {
  const env = [fromSecret('REDIS_PASSWORD', 'auth')];
  const denied = { 'secrets/auth': forbidden('secrets "auth"') };
  await assert.rejects(
    reading(denied).secrets.credentials(candidateOf({ env })),
    /Not allowed to get secrets "auth"/,
  );
  const elsewhere = candidateOf({ env, args: ['--requirepass', 'x'] });
  assert.equal((await reading(denied).secrets.credentials(elsewhere)).password, 'x');
  const map = { 'configmaps/settings': forbidden('configmaps "settings"') };
  const asking = reading(map).secrets.credentials(candidateOf(mounted, withFile), server({ password: 'x' }));
  await assert.rejects(asking, /Not allowed to get configmaps "settings"/);
});

test('a Secret that is not there is no password, and the next place counts', async () => {
  const env = [fromSecret('REDIS_PASSWORD', 'gone'), { name: 'REDISCLI_AUTH', value: 'x' }];
  const found = await reading({}).secrets.credentials(candidateOf({ env }));
  assert.deepEqual(found, { password: 'x', foundIn: 'password from variable REDISCLI_AUTH of the pod' });
});

test('the line break at the end of a file is no part of the password; in a variable it is', async () => {
  const volumes = [{ name: 'v', secret: { secretName: 'auth' } }];
  const volumeMounts = [{ name: 'v', mountPath: '/secrets/' }];
  const file = { env: [{ name: 'REDIS_PASSWORD_FILE', value: '/secrets/pw' }], volumeMounts };
  const { secrets } = reading({ 'secrets/auth': { pw: 'x\n' } });
  assert.equal((await secrets.credentials(candidateOf(file, { volumes }))).password, 'x');
  const variable = candidateOf({ env: [fromSecret('REDIS_PASSWORD', 'auth')] });
  assert.equal((await secrets.credentials(variable)).password, 'x\n');
});

test('a server that does not answer is asked again, and what it demanded is forgotten with its workload', async () => {
  const { secrets, read } = reading({ 'configmaps/settings': { 'redis.conf': 'requirepass x' } });
  const candidate = candidateOf(mounted, withFile);
  assert.deepEqual(await secrets.credentials(candidate, () => Promise.resolve(undefined)), {});
  assert.equal((await secrets.credentials(candidate, server({ password: 'x' }))).password, 'x');
  assert.deepEqual(await secrets.credentials({ ...candidate, uid: 'another' }, server({})), {});
  assert.deepEqual(read, ['configmaps/settings']);
});

test('the password before a rotation is read with the mounted one, in one request', async () => {
  const volumes = [{ name: 'v', secret: { secretName: 'auth' } }];
  const volumeMounts = [{ name: 'v', mountPath: '/etc/redis-cluster-auth' }];
  const { secrets, read } = reading({ 'secrets/auth': { password: 'new', 'previous-password': 'old' } });
  const own = candidateOf({ volumeMounts }, { volumes });
  const bundled = { ...own, workload: { ...own.workload, bundled: true } };
  const found = await secrets.credentials(bundled, () => assert.fail('all is known of these manifests'));
  assert.deepEqual([found.password, found.previousPassword, read], ['new', 'old', ['secrets/auth']]);
});
