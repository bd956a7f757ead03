import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, Pod, StatefulSet } from '../../../src/kubernetes/apiObjects.ts';
import { candidates } from '../../../src/kubernetes/discover.ts';
import { redisContainer } from '../../../src/kubernetes/redisContainer.ts';

interface PodParts {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

function pod(name: string, parts: PodParts = {}, containers: readonly Container[] = [server()]): Pod {
  return {
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, ...parts.metadata },
    spec: { containers: [...containers], ...parts.spec },
    status: { phase: 'Running', ...parts.status },
  };
}

function server(parts: Partial<Container> = {}): Container {
  return { name: 'redis', image: 'redis:7.2', ports: [{ containerPort: 6379 }], ...parts };
}

function statefulSet(
  name: string,
  parts: { labels?: Record<string, string>; containers?: Container[] } = {},
) {
  const set: StatefulSet = {
    metadata: { name, namespace: 'ns', labels: parts.labels ?? {} },
    spec: {
      replicas: 3,
      template: { spec: { containers: parts.containers ?? [server()] } },
    },
    status: { readyReplicas: 2 },
  };
  return set;
}

function ownedBy(kind: string, name: string): object {
  return { ownerReferences: [{ kind, name, uid: 'u', apiVersion: 'v1', controller: true }] };
}

test('servers are told by image, port, start command or labels; their companions are not servers', () => {
  const found = (container: Container, labels = {}): string | undefined =>
    redisContainer([container], labels)?.container.name;
  const images = [
    'redis',
    'docker.io/bitnami/redis-cluster:7.2',
    'registry:5000/team/valkey@sha256:0a',
    'eqalpha/keydb:x86_64_v6',
    'quay.io/opstree/redis:v7.0.12',
    'redis/redis-stack-server:7.2.0-v9',
  ];
  for (const image of images) assert.equal(found({ name: 'a', image }), 'a', image);
  const others = [
    'oliver006/redis_exporter:v1',
    'redis/redisinsight:2',
    'quay.io/spotahome/redis-operator:1',
    'bitnami/redis-sentinel',
    'haproxy',
    'postgres:16',
    'rediscommander/redis-commander',
  ];
  for (const image of others) assert.equal(found({ name: 'a', image }), undefined, image);
  assert.equal(found({ name: 'a', image: 'acme/cache', ports: [{ containerPort: 6379 }] }), 'a');
  assert.equal(found({ name: 'a', image: 'acme/cache', command: ['valkey-server', '/etc/v.conf'] }), 'a');
  assert.equal(found({ name: 'a', image: 'acme/cache' }, { 'app.kubernetes.io/name': 'redis' }), 'a');
  assert.equal(found({ name: 'a', image: 'acme/cache' }, { app: 'redis-operator' }), undefined);
  assert.equal(found({ name: 'a', image: 'acme/cache' }, { app: 'predisposed' }), undefined);
});

test('a release may be called like a companion: what a container runs and listens on counts', () => {
  const names = [
    'metrics',
    'backup-cache',
    'agent',
    'proxy',
    'config',
    'session-init',
    'redis-exporter',
    'ui',
  ];
  for (const name of names) {
    assert.equal(redisContainer([server({ name })])?.container.name, name);
    assert.equal(redisContainer([{ name, image: 'redis:7.2' }])?.container.name, name, 'without ports');
    const beside = { name: 'a', image: 'bitnami/redis-exporter', ports: [{ containerPort: 9121 }] };
    assert.equal(redisContainer([beside, server({ name })])?.container.name, name, 'beside an exporter');
  }
  const others: readonly Container[] = [
    { name: 'redis', image: 'redis:7.2', command: ['redis-sentinel', '/etc/sentinel.conf'] },
    { name: 'redis', image: 'redis:7.2', command: ['redis-server', '/redis/s.conf', '--sentinel'] },
    { name: 'redis', image: 'redis:7.2', ports: [{ containerPort: 26379 }] },
    { name: 'redis', image: 'redis:7.2', ports: [{ containerPort: 9121, name: 'metrics' }] },
    { name: 'redis', image: 'redis:7.2', command: ['sh', '-c', 'redis-cli --cluster fix x:6379'] },
  ];
  for (const one of others) assert.equal(redisContainer([one]), undefined, JSON.stringify(one));
  const alike = [
    { name: 'agent', image: 'redis:7.2' },
    { name: 'main', image: 'redis:7.2' },
  ];
  assert.equal(redisContainer(alike)?.container.name, 'main');
});

test('the port is the one that clients use', () => {
  const port = (parts: Partial<Container>): number | undefined =>
    redisContainer([{ name: 'r', image: 'redis', ...parts }])?.port;
  assert.equal(port({}), 6379);
  assert.equal(port({ args: ['--port', '0', '--tls-port', '6390'] }), 6390);
  assert.equal(port({ env: [{ name: 'REDIS_PORT', value: '7000' }] }), 7000);
  assert.equal(port({ env: [{ name: 'REDIS_TLS_PORT', value: '7443' }] }), 7443);
});

test('among several containers the server is found, with its port', () => {
  const agent: Container = { name: 'agent', image: 'redis:7.2' };
  const exporter: Container = { name: 'metrics', image: 'redis:7.2', ports: [{ containerPort: 9121 }] };
  const odd = server({
    name: 'db',
    ports: [
      { containerPort: 16_380, name: 'bus' },
      { containerPort: 6380, name: 'tcp-redis' },
    ],
  });
  const found = redisContainer([agent, exporter, odd]);
  assert.equal(found?.container.name, 'db');
  assert.equal(found.port, 6380);
  const started = redisContainer([{ name: 'r', image: 'redis', args: ['redis-server', '--port', '7001'] }]);
  assert.equal(started?.port, 7001);
});

test('pods are grouped by their owner, sorted by ordinal; a StatefulSet without pods is there too', () => {
  const owner = ownedBy('StatefulSet', 'shop');
  const found = candidates(
    [
      pod('shop-10', { metadata: owner }),
      pod('shop-2', { metadata: owner }),
      pod('alone'),
      pod('web-abc', { metadata: ownedBy('ReplicaSet', 'web') }),
      pod('backup', { metadata: ownedBy('Job', 'backup') }),
      pod('orphan-0', { metadata: ownedBy('StatefulSet', 'orphan') }),
      pod('postgres', {}, [{ name: 'pg', image: 'postgres' }]),
    ],
    [
      statefulSet('shop'),
      statefulSet('empty'),
      statefulSet('pg', { containers: [{ name: 'p', image: 'pg' }] }),
    ],
  );
  assert.deepEqual(
    found.map(({ workload, pods }) => [workload.kind, workload.name, pods.map((one) => one.name)]),
    [
      ['Pod', 'alone', ['alone']],
      ['StatefulSet', 'empty', []],
      ['StatefulSet', 'orphan', ['orphan-0']],
      ['StatefulSet', 'shop', ['shop-2', 'shop-10']],
      ['Other', 'web', ['web-abc']],
    ],
  );
  assert.deepEqual(found[3]?.workload, {
    kind: 'StatefulSet',
    name: 'shop',
    replicas: 3,
    readyReplicas: 2,
    bundled: false,
  });
});

test('what was deployed by our manifests is known by label, or by name and agent', () => {
  const agent = { name: 'agent', image: 'redis' };
  const bundled = (set: StatefulSet): boolean | undefined => candidates([], [set])[0]?.workload.bundled;
  assert.equal(
    bundled(statefulSet('a', { labels: { 'app.kubernetes.io/managed-by': 'kubernetes-redis-cluster' } })),
    true,
  );
  const labels = { 'app.kubernetes.io/name': 'redis-cluster' };
  assert.equal(bundled(statefulSet('a', { labels, containers: [server(), agent] })), true);
  assert.equal(bundled(statefulSet('a', { labels })), false);
});

test("the password is found in the server's environment", () => {
  const ref = { valueFrom: { secretKeyRef: { name: 'auth', key: 'pw' } } };
  const from = (name: string) =>
    candidates([pod('a', {}, [server({ env: [{ name: 'X' }, { name, ...ref }] })])], [])[0]?.passwordFrom;
  for (const name of [
    'REDISCLI_AUTH',
    'REDIS_PASSWORD',
    'VALKEY_PASSWORD',
    'MY_REDIS_PASS',
    'REDISPASSWORD',
  ]) {
    assert.deepEqual(from(name), { secret: 'auth', key: 'pw' }, name);
  }
  assert.equal(from('TLS_KEY'), undefined);
});

test('a mounted Secret with the password goes before the environment', () => {
  const env = [{ name: 'REDISCLI_AUTH', valueFrom: { secretKeyRef: { name: 'old', key: 'pw' } } }];
  const from = (mountPath: string, secret: object, container: Partial<Container> = { env }) => {
    const mounted = server({ ...container, volumeMounts: [{ name: 'auth', mountPath }] });
    return candidates([pod('a', { spec: { volumes: [{ name: 'auth', secret }] } }, [mounted])], [])[0]
      ?.passwordFrom;
  };
  const ours = '/etc/redis-cluster-auth';
  assert.deepEqual(from(ours, { secretName: 'auth' }), { secret: 'auth', key: 'password' });
  const items = [{ key: 'pw', path: 'password' }];
  assert.deepEqual(from(ours, { secretName: 'auth', items }), { secret: 'auth', key: 'pw' });
  assert.deepEqual(from('/elsewhere', { secretName: 'auth' }), { secret: 'old', key: 'pw' });
  const chart = { env: [{ name: 'REDIS_PASSWORD_FILE', value: '/opt/secrets/redis-password' }] };
  assert.deepEqual(from('/opt/secrets', { secretName: 'auth' }, chart), {
    secret: 'auth',
    key: 'redis-password',
  });
});

test('why a pod does not run is said in the words of Kubernetes', () => {
  const facts = (status: object) => candidates([pod('a', { status })], [])[0]?.pods[0];
  const waiting = (reason: string, message?: string) => [
    { name: 'redis', restartCount: 0, state: { waiting: { reason, message } } },
  ];
  assert.equal(
    facts({ containerStatuses: waiting('ImagePullBackOff', 'no such image') })?.reason,
    'ImagePullBackOff',
  );
  const unscheduled = {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }],
  };
  assert.equal(facts(unscheduled)?.reasonMessage, '0/3 nodes');
  const crashed = facts({
    containerStatuses: [
      {
        name: 'redis',
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      },
    ],
  });
  assert.equal(crashed?.restarts, 4);
  assert.match(crashed.reasonMessage ?? '', /exit code 1 \(Error\)/);
  const evicted = facts({ phase: 'Failed', reason: 'Evicted', message: 'low on memory' });
  assert.equal(evicted?.reason, 'Evicted');
  const both = facts({
    initContainerStatuses: waiting('ContainerCreating'),
    containerStatuses: waiting('CreateContainerConfigError', 'secret "x" not found'),
  });
  assert.equal(both?.reason, 'CreateContainerConfigError');
  const well = facts({ podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] });
  assert.equal(well?.ready, true);
  assert.equal(well.reason, undefined);
  assert.equal(well.ip, '10.0.0.1');
});

test('a rolling update is told from one that is held, finished, or done by hand', () => {
  const rollout = (
    status: NonNullable<StatefulSet['status']>,
    updateStrategy: NonNullable<StatefulSet['spec']>['updateStrategy'] = { type: 'RollingUpdate' },
  ): object | undefined => {
    const set = statefulSet('shop');
    assert.ok(set.spec !== undefined);
    const spec = { ...set.spec, updateStrategy };
    return candidates([], [{ ...set, spec, status }])[0]?.workload.rollout;
  };
  const half = { currentRevision: 'a', updateRevision: 'b', updatedReplicas: 1, readyReplicas: 2 };
  assert.deepEqual(rollout(half), { updated: 1, of: 3 });
  assert.deepEqual(rollout({ ...half, updatedReplicas: 3 }), { updated: 3, of: 3 }, 'the last is starting');
  assert.equal(rollout({ ...half, currentRevision: 'b', updatedReplicas: 3 }), undefined);
  const held = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
  assert.equal(rollout(half, held), undefined);
  assert.deepEqual(rollout({ ...half, updatedReplicas: 0 }, held), { updated: 0, of: 1 });
  assert.equal(rollout(half, { type: 'OnDelete' }), undefined);
});
