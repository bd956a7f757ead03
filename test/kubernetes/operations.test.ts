import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { prepareDelete } from '../../src/operations/delete.ts';
import { prepareDeploy } from '../../src/operations/deploy.ts';
import type { DeployAnswers } from '../../src/operations/manifests/answers.ts';
import { exportYaml } from '../../src/operations/manifests/exportYaml.ts';
import { podsOf } from '../../src/operations/statefulSets/waitForPods.ts';
import { planScale } from '../../src/operations/scale.ts';
import { accessWithRole } from '../support/accessWithRole.ts';
import { clusterPorts, snapshotOf, type ClusterPorts } from '../support/clusterPorts.ts';
import { manifestFiles } from '../support/manifestFiles.ts';
import { operationsFixture, refused, type OperationsFixture } from '../support/operationsFixture.ts';
import { deployOver, runOver } from '../support/planPorts.ts';

const files = manifestFiles();
let fixture: OperationsFixture;
let access: KubernetesAccess;
/** Has the rights of manifests/rbac/operate.yaml and no others. */
let operator: KubernetesAccess;
let namespace: string;
let ports: ClusterPorts;

before(async () => {
  fixture = await operationsFixture('operations', 'shop');
  ({ access, namespace } = fixture);
  operator = await accessWithRole(fixture, 'operate');
  ports = clusterPorts(operator, 'shop', AbortSignal.timeout(900_000));
});

after(async () => {
  ports.close();
  operator.close();
  await fixture.close();
});

function answers(changed: Partial<DeployAnswers> = {}): DeployAnswers {
  return {
    namespace,
    name: 'shop',
    masters: 3,
    replicasPerMaster: 1,
    storage: '1Gi',
    auth: 'generate',
    ...changed,
  };
}

function refs(name: string) {
  return { context: access.context, namespace, name };
}

async function objectsNamed(name: string): Promise<readonly string[]> {
  const kinds = [
    ['apps/v1', 'StatefulSet'],
    ['v1', 'Service'],
    ['v1', 'ConfigMap'],
    ['policy/v1', 'PodDisruptionBudget'],
    ['networking.k8s.io/v1', 'NetworkPolicy'],
    ['v1', 'ServiceAccount'],
    ['v1', 'Secret'],
    ['v1', 'PersistentVolumeClaim'],
  ] as const;
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, kind]) => {
      const found = await access.list(apiVersion, kind, namespace);
      const own = found.filter((one) => one.metadata.name.split('-').includes(name));
      return own.map((one) => `${kind} ${one.metadata.name}`);
    }),
  );
  return lists.flat().sort();
}

/** redis-cli in the cluster's first pod, which follows redirections and has the password in its environment. */
async function redisCli(commands: readonly string[]): Promise<readonly string[]> {
  const exec = ['exec', '-i', 'shop-0', '-c', 'redis', '--', 'redis-cli', '-c'];
  const replies = (await fixture.kubectl(exec, `${commands.join('\n')}\n`)).replaceAll('\r', '').split('\n');
  return replies.filter((line) => !line.startsWith('-> Redirected')).slice(0, -1);
}

const keys = Array.from({ length: 100 }, (_, index) => `key:${String(index)}`);

test('three masters and three replicas are deployed with a password, and every node says so', async () => {
  const plan = await prepareDeploy(operator, files, answers());
  const { seconds } = await deployOver(ports, plan);
  assert.ok(seconds > 0);
  const { nodes } = await snapshotOf(ports, refs('shop'));
  assert.equal(nodes.length, 6);
  assert.equal(nodes.filter((node) => node.role === 'master').length, 3);
  for (const { view } of nodes) {
    assert.equal(view?.clusterState, 'ok');
    assert.equal(view.slotsAssigned, 16_384);
  }
  const password = await access.readSecret(namespace, { secret: 'shop-auth', key: 'password' });
  assert.ok(password !== undefined && password.length >= 20);
  assert.ok(!JSON.stringify([plan, ports.said]).includes(password));
  const texts = ports.said.map((progress) => progress.text);
  assert.match(
    texts.at(-1) ?? '',
    /^step 3 of 3: scheduled 6\/6, ready 6\/6, joined 6\/6, slots 16384\/16384$/,
  );
});

test('what is exported is what was applied: kubectl sees no difference', async () => {
  const yaml = exportYaml(files, answers());
  await fixture.kubectl(['apply', '--dry-run=server', '-f', '-'], yaml);
  assert.equal(await fixture.kubectl(['diff', '-f', '-'], yaml), '');
});

test('a name that is taken is refused and nothing is changed', async () => {
  const before = await objectsNamed('shop');
  await refused(
    prepareDeploy(operator, files, answers()),
    'already-exists',
    /"shop" is taken.*StatefulSet shop/,
  );
  assert.deepEqual(await objectsNamed('shop'), before);
});

test('a namespace that is missing is refused with what to do', async () => {
  await refused(
    prepareDeploy(access, files, answers({ namespace: 'no-such-namespace' })),
    'not-found',
    /"no-such-namespace" does not exist in context .*create namespace no-such-namespace/,
  );
});

test('who may only view reads the cluster, and is told which right a change takes', async () => {
  const viewer = await accessWithRole(fixture, 'view');
  const reading = clusterPorts(viewer, 'shop', ports.signal);
  try {
    assert.equal((await snapshotOf(reading, refs('shop'))).nodes.length, 6);
    const enough = new AbortController();
    const onText = (): void => {
      enough.abort();
    };
    await viewer
      .logs(namespace, 'shop-0', 'redis', { tailLines: 5 }, onText, enough.signal)
      .catch(() => undefined);
    assert.ok(enough.signal.aborted, 'a line of the log was read');
    const plan = planScale(await snapshotOf(reading, refs('shop')), { pods: 8 });
    await refused(runOver(reading, { ...plan, ref: refs('shop') }), 'forbidden', /statefulsets.scale/);
    assert.equal((await snapshotOf(reading, refs('shop'))).nodes.length, 6);
  } finally {
    reading.close();
    viewer.close();
  }
});

test('twelve pods: the six new nodes are replicas, evenly spread', async () => {
  const plan = planScale(await snapshotOf(ports, refs('shop')), { pods: 12 });
  const { steps, cancelled } = await runOver(ports, { ...plan, ref: refs('shop') });
  assert.deepEqual([steps, cancelled], [2, false]);
  const { nodes } = await snapshotOf(ports, refs('shop'));
  const counts = new Map<string, number>();
  for (const { masterId } of nodes) {
    if (masterId !== undefined) counts.set(masterId, (counts.get(masterId) ?? 0) + 1);
  }
  assert.deepEqual([...counts.values()], [3, 3, 3]);
});

test('deleted without volumes, the keys stay, and a new cluster of the name is refused until it is said to take them', async () => {
  const written = await redisCli(keys.map((key) => `SET ${key} ${key}`));
  assert.deepEqual(new Set(written), new Set(['OK']));
  const plan = await prepareDelete(operator, refs('shop'), [], { volumes: false });
  const { deleted = [] } = await runOver(ports, { ...plan, ref: refs('shop') });
  assert.ok(deleted.includes('StatefulSet shop'));
  assert.ok(deleted.includes('NetworkPolicy shop'));
  assert.deepEqual(await podsOf(access, { namespace, statefulSet: 'shop' }, ports.signal), []);
  const left = await objectsNamed('shop');
  assert.equal(left.filter((name) => name.startsWith('PersistentVolumeClaim data-shop-')).length, 12);
  assert.ok(left.includes('Secret shop-auth'));
  assert.equal(left.length, 13);
  await refused(
    prepareDeploy(operator, files, answers()),
    'already-exists',
    /data-shop-0.*"adopt": true.*Nothing was changed/,
  );
  await refused(
    prepareDeploy(operator, files, answers({ masters: 6, replicasPerMaster: 0, adopt: true })),
    'already-exists',
    /is of a cluster of 3 masters with 1 replica each, not 6 masters/,
  );
  await refused(
    prepareDeploy(operator, files, answers({ auth: 'none', adopt: true })),
    'already-exists',
    /with the password of shop-auth\/password, not no password/,
  );
});

test('a new cluster takes the volumes over with every key, in as many pods as there were', async () => {
  const asked: string[] = [];
  const plan = await prepareDeploy(operator, files, answers(), (volumes) => {
    asked.push(...volumes);
    return Promise.resolve(true);
  });
  assert.equal(asked.length, 12);
  await deployOver(ports, plan);
  assert.equal((await snapshotOf(ports, refs('shop'))).nodes.length, 12);
  assert.deepEqual(await redisCli(keys.map((key) => `GET ${key}`)), keys);
  const deleting = await prepareDelete(operator, refs('shop'), [], { volumes: false });
  await runOver(ports, { ...deleting, ref: refs('shop') });
});

test('deleted with volumes, nothing is left', async () => {
  const plan = await prepareDelete(operator, refs('shop'), [], { volumes: true });
  const { deleted = [] } = await runOver(ports, { ...plan, ref: refs('shop') });
  assert.equal(deleted.filter((name) => name.startsWith('PersistentVolumeClaim')).length, 12);
  assert.ok(deleted.includes('Secret shop-auth'));
  for (let tries = 0; (await objectsNamed('shop')).length > 0 && tries < 300; tries++) {
    await ports.delay(200, ports.signal);
  }
  assert.deepEqual(await objectsNamed('shop'), []);
});

test('an image that cannot be had ends the deployment with the pod and the reason', async () => {
  const wrong = answers({ name: 'wrong', image: 'localhost:1/no-such-image:0', auth: 'none' });
  const plan = await prepareDeploy(operator, files, wrong);
  await refused(
    deployOver(ports, plan),
    'failed',
    /Pod wrong-\d cannot pull its image localhost:1\/no-such-image:0 \((ImagePullBackOff|ErrImagePull)\).*Delete Cluster… removes it/,
  );
  const begun = await prepareDeploy(operator, files, wrong);
  assert.equal(begun.beginning, 'goesOn');
  const deleting = await prepareDelete(operator, refs('wrong'), [], { volumes: true });
  const { deleted = [] } = await runOver(ports, { ...deleting, ref: refs('wrong') });
  assert.ok(deleted.includes('StatefulSet wrong'));
});

test('a quota that forbids the pods is named; stopping says what is left', async () => {
  await access.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'no-pods', namespace },
    spec: { hard: { pods: '0' } },
  });
  const small = answers({ name: 'small', auth: 'none' });
  const plan = await prepareDeploy(operator, files, small);
  await refused(
    deployOver(ports, plan),
    'failed',
    /StatefulSet small cannot create its pods:.*exceeded quota/,
  );
  const stop = new AbortController();
  const report = (): void => {
    stop.abort();
  };
  const again = await prepareDeploy(operator, files, small);
  const stopped = await deployOver({ ...ports, signal: stop.signal, report }, again);
  assert.equal(stopped.cancelled, true);
  assert.match(stopped.notes?.join(' ') ?? '', /Delete Cluster… removes it/);
  const deleting = await prepareDelete(operator, refs('small'), [], { volumes: true });
  await runOver(ports, { ...deleting, ref: refs('small') });
  await access.delete('v1', 'ResourceQuota', namespace, 'no-pods');
});
