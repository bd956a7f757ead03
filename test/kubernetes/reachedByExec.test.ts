import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { RedisReading } from '../../src/inventory/nodeReader.ts';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { connectNode, readNodeView } from '../../src/redis/entry.ts';
import { accessWithRules } from '../support/accessWithRole.ts';
import { kubectlIn } from '../support/scenarios/kubectl.ts';
import { startKubernetes } from '../support/startKubernetes.ts';
import { mayConnect } from '../../src/operations/statefulSets/rights.ts';
import { startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

const times = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 };
const seeing = [
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['list', 'watch'] },
];
const right = (resource: string, verbs: readonly string[] = ['get', 'create']): object => ({
  ...{ apiGroups: [''], resources: [resource], verbs },
});

let fixture: AdapterFixture;
const opened: KubernetesAccess[] = [];

before(async () => {
  fixture = await startAdapterFixture();
});

after(async () => {
  for (const access of opened) access.close();
  await fixture.stop();
});

async function accessWith(name: string, ...more: readonly object[]): Promise<KubernetesAccess> {
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name },
    rules: [...seeing, ...more],
  };
  const access = await accessWithRules(fixture, role);
  opened.push(access);
  return access;
}

/** How many programs that carry connections run in the pod. The pattern does not match the command that looks. */
async function carriers(): Promise<number> {
  let output = '';
  const command = ['sh', '-c', 'grep -lszE /dev/tc[p] /proc/[0-9]*/cmdline | wc -l'];
  const session = await fixture.access.exec(fixture.namespace, 'server', 'redis', command, (data) => {
    output += data;
  });
  await session.done;
  return Number(output.trim());
}

test('without port-forward a connection goes through exec, carries much both ways and leaves nothing behind', async () => {
  const { namespace } = fixture;
  const access = await accessWith('exec-only', right('pods/exec'));
  const forward = await access.forward(namespace, 'server', 6379);
  assert.equal(forward.viaExec, true);
  const [first, second] = await Promise.all([
    connectNode({ path: forward.path }, {}, times),
    connectNode({ path: forward.path }, {}, times),
  ]);
  const value = Buffer.alloc(4_000_000, Buffer.from([0, 1, 10, 13, 27, 255]));
  await first.call('SET', 'big', value);
  assert.deepEqual(await second.callBuffer('GET', 'big'), value);
  const replies = await second.pipeline(Array.from({ length: 5_000 }, (_, index) => ['ECHO', index]));
  assert.equal(replies[4_999], '4999');
  assert.equal(await carriers(), 2);
  await first.call('CLIENT', 'KILL', 'ID', Number(await second.call('CLIENT', 'ID')));
  await assert.rejects(second.call('PING'));
  first.close();
  forward.close();
  await until(async () => ((await carriers()) === 0 ? true : undefined), 10_000);
  await fixture.rejected(access.forward(namespace, 'nobody', 6379), 'not-found', /"nobody" was not found/);
  await assert.rejects(
    access.forward(namespace, 'server', 6399),
    /Nothing listens on port 6399 of pod server/,
  );
});

test('without either the refusal names both', async () => {
  const access = await accessWith('neither');
  await fixture.rejected(
    access.forward(fixture.namespace, 'server', 6379),
    'forbidden',
    /create pods\/portforward "server".*Neither is pods\/exec allowed/,
  );
});

test('without exec port-forward is enough', async () => {
  const access = await accessWith('forward-only', right('pods/portforward'));
  const forward = await access.forward(fixture.namespace, 'server', 6379);
  assert.equal(forward.viaExec, false);
  const connection = await connectNode({ path: forward.path }, {}, times);
  assert.equal(await connection.call('PING'), 'PONG');
  connection.close();
  forward.close();
});

test('a connection takes get, and create from Kubernetes 1.35 on; a refusal names both', async () => {
  const kubernetes = await startKubernetes();
  const answer = await kubectlIn(kubernetes, fixture.namespace)(['get', '--raw', '/version']);
  await kubernetes.stop();
  const version = JSON.parse(answer) as { readonly minor: string };
  const takesCreate = Number.parseInt(version.minor) >= 35;
  for (const resource of ['pods/portforward', 'pods/exec'] as const) {
    const short = resource.slice('pods/'.length);
    const getOnly = await accessWith(`get-${short}`, right(resource, ['get']));
    const createOnly = await accessWith(`create-${short}`, right(resource, ['create']));
    const reach = async (access: KubernetesAccess): Promise<void> => {
      (await access.forward(fixture.namespace, 'server', 6379)).close();
    };
    assert.equal(await mayConnect(getOnly, resource, fixture.namespace), false);
    assert.equal(await mayConnect(createOnly, resource, fixture.namespace), false);
    if (!takesCreate) await reach(getOnly);
    const refused = /Not allowed to get and create pods\/portforward/;
    await fixture.rejected(reach(createOnly), 'forbidden', refused);
    if (takesCreate) await fixture.rejected(reach(getOnly), 'forbidden', refused);
  }
});

test('a node that is read through exec says so', async () => {
  const { namespace, context } = fixture;
  await fixture.access.apply({
    ...fixture.redisPod('clustered'),
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'redis',
          image: 'redis:7.0.15',
          command: ['redis-server', '--cluster-enabled', 'yes', '--protected-mode', 'no', '--save', ''],
          ports: [{ containerPort: 6379 }],
          readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
        },
      ],
    },
  });
  await fixture.readyPod('clustered');
  const access = await accessWith('reader', right('pods/exec'));
  const dial: RedisReading['connectNode'] = (endpoint, credentials) =>
    connectNode(endpoint, credentials, times);
  const inventory = new Inventory({
    redis: () => Promise.resolve({ connectNode: dial, connectPatiently: dial, readNodeView }),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  inventory.setContexts([
    { name: context, namespaces: [namespace], fingerprint: '', open: () => Promise.resolve(access) },
  ]);
  try {
    const nodes = await until(async () => {
      const found = await inventory.look({ context, namespace, name: 'clustered' }).then(
        (snapshot) => snapshot.nodes,
        () => [],
      );
      if (found.length > 0) return found;
      await sleep(200);
      return undefined;
    }, 30_000);
    assert.deepEqual(
      nodes.map(({ viaExec }) => viaExec),
      [true],
    );
  } finally {
    inventory.dispose();
  }
});
