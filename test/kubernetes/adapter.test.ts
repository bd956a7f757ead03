import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesAccess, KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../src/model/errors.ts';
import { adapterImage, startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

let fixture: AdapterFixture;
let access: KubernetesAccess;
let namespace: string;

before(async () => {
  fixture = await startAdapterFixture();
  ({ access, namespace } = fixture);
});

after(() => fixture.stop());

test('namespaces are listed and pods found, in one namespace and in all', async () => {
  assert.ok((await access.listNamespaces()).includes(namespace));
  const [own] = await access.discover(namespace);
  assert.equal(own?.workload.kind, 'Pod');
  assert.equal(own.pods[0]?.image, adapterImage);
  assert.ok(own.pods[0].worker);
  const everywhere = await access.discover(undefined);
  assert.ok(everywhere.some((candidate) => candidate.namespace === namespace));
});

test('a watch tells a change within two seconds', async () => {
  let changes = 0;
  const problems: (Error | undefined)[] = [];
  const end = access.watch(
    namespace,
    () => changes++,
    (problem) => problems.push(problem),
  );
  try {
    await until(() => (changes > 0 ? true : undefined));
    await sleep(500);
    const before = changes;
    const pod = fixture.redisPod('server');
    const labels = { ...pod.metadata.labels, seen: 'yes' };
    await access.apply({ ...pod, metadata: { ...pod.metadata, labels } });
    const applied = performance.now();
    await until(() => (changes > before ? true : undefined), 2_000);
    assert.ok(performance.now() - applied < 2_000);
    assert.deepEqual(problems, []);
  } finally {
    end();
  }
});

test('objects are applied, read, listed, scaled and deleted; a name that is taken is a conflict', async () => {
  const labels = { app: 'plain' };
  const set: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'plain', namespace, labels },
    spec: {
      replicas: 0,
      serviceName: 'plain',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'redis', image: adapterImage }] } },
    },
  };
  await access.apply(set);
  await access.apply(set);
  await fixture.rejected(access.create(set), 'conflict', /"plain"/);
  const listed = await access.list('apps/v1', 'StatefulSet', namespace, 'app=plain');
  assert.deepEqual(
    listed.map((one) => [one.apiVersion, one.kind, one.metadata.name]),
    [['apps/v1', 'StatefulSet', 'plain']],
  );
  await assert.rejects(access.scale(namespace, 'plain', 5, 6), /has 0 replicas now, not 5/);
  await access.scale(namespace, 'plain', 0, 1);
  const found = await access.get('apps/v1', 'StatefulSet', namespace, 'plain');
  assert.equal((found?.['spec'] as { replicas: number }).replicas, 1);
  assert.equal(await access.delete('apps/v1', 'StatefulSet', namespace, 'plain'), true);
  await until(async () =>
    (await access.get('apps/v1', 'StatefulSet', namespace, 'plain')) ? undefined : true,
  );
  const classes = await access.list('storage.k8s.io/v1', 'StorageClass', '');
  assert.ok(classes.length > 0);
  await assert.rejects(access.list('example.org/v1', 'Nothing', namespace), UserError);
});

test('a Secret is read by key, and what is missing is no error', async () => {
  const stringData = { password: 's3cret' };
  await access.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'auth', namespace },
    stringData,
  });
  assert.equal(await access.readSecret(namespace, { secret: 'auth', key: 'password' }), 's3cret');
  assert.equal(await access.readSecret(namespace, { secret: 'auth', key: 'nothing' }), undefined);
  assert.equal(await access.readSecret(namespace, { secret: 'nothing', key: 'password' }), undefined);
});
