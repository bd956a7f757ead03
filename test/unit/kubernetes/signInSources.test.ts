import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';

import type { Container, PodSpec } from '../../../src/kubernetes/apiObjects.ts';
import { candidateOf, fromSecret, passwords, value, type Env } from './specs.ts';

const sure = (parts: Partial<Container>, spec?: Partial<PodSpec>): readonly string[] =>
  passwords(candidateOf(parts, spec).signIn?.passwords);
const later = (parts: Partial<Container>, spec?: Partial<PodSpec>): readonly string[] =>
  passwords(candidateOf(parts, spec).signIn?.ifRefused.passwords);

test('a password is found in the variables of the common images, charts and operators', () => {
  const cases: readonly (readonly [Env, readonly string[]])[] = [
    ...['REDIS_PASSWORD', 'REDIS_DEFAULT_PASSWORD', 'REDISCLI_AUTH', 'VALKEY_PASSWORD', 'VALKEYCLI_AUTH'].map(
      (name) => [[fromSecret(name)], ['secret auth/pw']] as const,
    ),
    [[fromSecret('KEYDB_PASSWORD')], ['secret auth/pw']],
    [[fromSecret('MY_REDIS_PASS')], ['secret auth/pw']],
    [[value('REDIS_PASSWORD', 'plain')], [`'plain'`]],
    [[value('REDIS_PASSWORD', '')], []],
    [
      [{ name: 'REDIS_PASSWORD', valueFrom: { configMapKeyRef: { name: 'settings', key: 'pw' } } }],
      ['configmap settings/pw'],
    ],
    [[value('REDIS_USERNAME', 'app'), fromSecret('REDIS_PASSWORD')], [`'app' secret auth/pw`]],
    [
      [fromSecret('REDIS_DEFAULT_USER', 'user'), fromSecret('REDIS_DEFAULT_PASSWORD')],
      ['secret auth/user secret auth/pw'],
    ],
    // The variable that another one repeats is what counts.
    [[fromSecret('PW'), value('REDIS_PASSWORD', '$(PW)')], ['secret auth/pw']],
    [[value('A', 'x'), value('REDIS_PASSWORD', '$(A)y$$(A)')], [`'xy$(A)'`]],
    [[fromSecret('A'), value('REDIS_PASSWORD', 'x$(A)')], []],
    [[value('REDIS_PASSWORD', '$(B)'), value('B', 'x')], [`'$(B)'`]],
  ];
  for (const [env, expected] of cases) assert.deepEqual(sure({ env }), expected, inspect(env, { depth: 5 }));
});

test('what is no password of a client is none', () => {
  const names = [
    ...[
      'REDIS_SENTINEL_PASSWORD',
      'REDIS_REPL_PASSWORD',
      'REDIS_REPLICATION_PASSWORD',
      'REDIS_EXPORTER_PASSWORD',
    ],
    ...[
      'REDIS_TLS_KEY_FILE_PASS',
      'VALKEY_TLS_KEY_PASSWORD',
      'ALLOW_EMPTY_REDIS_PASSWORD',
      'TLS_KEY',
      'PASSWORD',
    ],
  ];
  for (const name of names) {
    assert.deepEqual(sure({ env: [fromSecret(name)] }), [], name);
    assert.deepEqual(later({ env: [fromSecret(name)] }), [], name);
  }
});

test("a client's password comes before one for replication, whatever stands first", () => {
  const env = [
    fromSecret('REDIS_SENTINEL_PASSWORD', 'sentinel'),
    fromSecret('REDIS_REPL_PASSWORD', 'repl'),
    fromSecret('REDIS_MASTER_PASSWORD', 'master'),
    fromSecret('MY_REDIS_PASS', 'mine'),
    fromSecret('REDIS_PASSWORD', 'client'),
  ];
  const args = ['redis-server', '--masterauth', '$(REDIS_MASTER_PASSWORD)'];
  assert.deepEqual(sure({ env, args }), ['secret auth/client', 'secret auth/mine']);
  assert.deepEqual(later({ env, args }), ['secret auth/master', 'secret auth/master']);
  const primary = ['--primaryuser', 'replicator', '--primaryauth', '$(REDIS_REPL_PASSWORD)'];
  assert.deepEqual(later({ env, args: primary }), ['secret auth/master']);
});

test("a probe's user and password go together, and only where the default user is refused", () => {
  const env = [value('VALKEY_USER', '_operator'), fromSecret('VALKEYCLI_AUTH', '_operator')];
  assert.deepEqual(sure({ env }), []);
  assert.deepEqual(later({ env }), [`'_operator' secret auth/_operator`]);
  const both = [...env, fromSecret('VALKEY_PASSWORD')];
  assert.deepEqual(sure({ env: both }), ['secret auth/pw'], 'the user is not that of another password');
});

test('envFrom is looked into only where a server asks, with its prefix', () => {
  const from = (parts: NonNullable<Container['envFrom']>, env: Env = []): readonly string[] =>
    later({ env, envFrom: parts });
  const found = from([{ secretRef: { name: 'all' } }]);
  assert.equal(found[0], 'secret all/REDIS_USERNAME secret all/REDIS_PASSWORD');
  assert.ok(found.includes('secret all/REDISCLI_USER secret all/REDISCLI_AUTH'));
  assert.deepEqual(sure({ envFrom: [{ secretRef: { name: 'all' } }] }), []);
  assert.deepEqual(from([{ prefix: 'VALKEY_', configMapRef: { name: 'map' } }]).slice(0, 2), [
    'configmap map/PASSWORD',
    'configmap map/DEFAULT_PASSWORD',
  ]);
  const shadowed = from([{ secretRef: { name: 'all' } }], [fromSecret('REDIS_PASSWORD')]);
  assert.ok(!shadowed.some((text) => text.endsWith('/REDIS_PASSWORD')), 'env hides envFrom');
  const two = from([{ secretRef: { name: 'first' } }, { secretRef: { name: 'last' } }]);
  assert.match(two[0] ?? '', /secret last\/REDIS_PASSWORD$/, 'the last one counts');
});

test('a password file is found however it is mounted', () => {
  const volume = (source: object): Partial<PodSpec> => ({ volumes: [{ name: 'v', ...source }] });
  const plain = volume({ secret: { secretName: 'auth' } });
  const item = { items: [{ key: 'pw', path: 'redis-password' }] };
  const projected = {
    projected: { sources: [{ configMap: { name: 'x', items: [] } }, { secret: { name: 'auth' } }] },
  };
  const file = '/opt/secrets/redis-password';
  type Mount = NonNullable<Container['volumeMounts']>[number];
  const cases: readonly (readonly [
    string,
    string,
    Omit<Mount, 'name'>,
    Partial<PodSpec>,
    string | undefined,
  ])[] = [
    ['slash at the end', file, { mountPath: '/opt/secrets/' }, plain, 'secret auth/redis-password'],
    [
      'slashes',
      '/opt//secrets/redis-password',
      { mountPath: '/opt/secrets//' },
      plain,
      'secret auth/redis-password',
    ],
    ['no slash', file, { mountPath: '/opt/secrets' }, plain, 'secret auth/redis-password'],
    [
      'items',
      file,
      { mountPath: '/opt/secrets' },
      volume({ secret: { secretName: 'auth', ...item } }),
      'secret auth/pw',
    ],
    ['subPath', file, { mountPath: file, subPath: 'pw' }, plain, 'secret auth/pw'],
    [
      'subPath of an item',
      file,
      { mountPath: file, subPath: 'redis-password' },
      volume({ secret: { secretName: 'auth', ...item } }),
      'secret auth/pw',
    ],
    ['projected', file, { mountPath: '/opt/secrets' }, volume(projected), 'secret auth/redis-password'],
    [
      'ConfigMap',
      file,
      { mountPath: '/opt/secrets' },
      volume({ configMap: { name: 'map' } }),
      'configmap map/redis-password',
    ],
    ['elsewhere', '/opt/secrets-too/pw', { mountPath: '/opt/secrets' }, plain, undefined],
    ['no Secret', file, { mountPath: '/opt/secrets' }, volume({ emptyDir: {} }), undefined],
    ['by variable', file, { mountPath: '/opt', subPathExpr: '$(X)' }, plain, undefined],
  ];
  for (const name of ['REDIS_PASSWORD_FILE', 'VALKEY_PASSWORD_FILE', 'MY_REDIS_PASSWORD_FILE']) {
    for (const [what, path, mount, spec, expected] of cases) {
      const found = sure({ env: [value(name, path)], volumeMounts: [{ name: 'v', ...mount }] }, spec);
      assert.deepEqual(found, expected === undefined ? [] : [expected], `${name}, ${what}`);
    }
  }
  const hidden = {
    env: [value('REDIS_PASSWORD_FILE', '/opt/secrets/redis-password')],
    volumeMounts: [
      { name: 'v', mountPath: '/opt' },
      { name: 'w', mountPath: '/opt/secrets' },
    ],
  };
  const spec = {
    volumes: [
      { name: 'v', secret: { secretName: 'a' } },
      { name: 'w', secret: { secretName: 'b' } },
    ],
  };
  assert.deepEqual(sure(hidden, spec), ['secret b/redis-password']);
});

test('a password is found in the arguments of the server, with their variables as Kubernetes and shells replace them', () => {
  const env = [fromSecret('PW')];
  const cases: readonly (readonly [Partial<Container>, string | undefined])[] = [
    [{ args: ['--requirepass', 'plain'] }, `'plain'`],
    [{ args: ['--requirepass', '$(PW)'] }, 'secret auth/pw'],
    [{ args: ['--requirepass', 'a$$(PW)'] }, `'a$(PW)'`],
    [{ args: ['--requirepass', 'x$(PW)'] }, undefined],
    [{ args: ['--requirepass', 'pa$word'] }, `'pa$word'`],
    [{ command: ['sh', '-c', 'exec redis-server --requirepass "$PW" --port 6379'] }, 'secret auth/pw'],
    [{ command: ['sh', '-c', "redis-server --requirepass '${PW}'"] }, 'secret auth/pw'],
    [{ command: ['sh', '-c', 'redis-server --requirepass=plain;wait'] }, `'plain'`],
    [{ command: ['sh', '-c', 'redis-server --requirepass "$(cat /pw)"'] }, undefined],
    [{ args: ['--requirepass'] }, undefined],
    [{ args: ['--my-requirepass', 'x'] }, undefined],
  ];
  for (const [parts, expected] of cases) {
    assert.deepEqual(sure({ env, ...parts }), expected === undefined ? [] : [expected], inspect(parts));
  }
  const both = { env: [fromSecret('REDIS_PASSWORD')], args: ['--requirepass', 'real'] };
  assert.deepEqual(sure(both), [`'real'`, 'secret auth/pw'], 'what the server is started with comes first');
});

test('files that may be a configuration are known, init containers included, certificates left out', () => {
  const volumes = [
    { name: 'conf', configMap: { name: 'settings', items: [{ key: 'redis.conf', path: 'redis.conf' }] } },
    { name: 'acl', secret: { secretName: 'users' } },
    { name: 'certs', secret: { secretName: 'crt' } },
    {
      name: 'api',
      projected: {
        sources: [{ configMap: { name: 'root-ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }],
      },
    },
  ];
  const initContainers = [{ name: 'init', volumeMounts: [{ name: 'conf', mountPath: '/from' }] }];
  const volumeMounts = [
    { name: 'acl', mountPath: '/acl' },
    { name: 'certs', mountPath: '/certs' },
    { name: 'api', mountPath: '/var/run/secrets/api' },
  ];
  assert.deepEqual(candidateOf({ volumeMounts }, { volumes, initContainers }).signIn?.ifRefused.files, [
    { kind: 'configmaps', name: 'settings', keys: ['redis.conf'] },
    { kind: 'secrets', name: 'users' },
  ]);
});

test('a literal password is in nothing that is printed or written down', () => {
  const candidate = candidateOf({
    env: [value('REDIS_PASSWORD', 'hidden-in-env')],
    args: ['--requirepass', 'hidden-in-args', '--masterauth', 'hidden-too'],
  });
  assert.deepEqual(passwords(candidate.signIn?.passwords), [`'hidden-in-args'`, `'hidden-in-env'`]);
  const printed = [JSON.stringify(candidate), inspect(candidate, { depth: 20, showHidden: true })];
  for (const text of printed) assert.doesNotMatch(text, /hidden/);
});
