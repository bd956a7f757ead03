import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { prepareDelete } from '../../src/operations/delete.ts';
import { waitForPods } from '../../src/operations/statefulSets/waitForPods.ts';
import { planScale } from '../../src/operations/scale.ts';
import { snapshotOf, type ClusterPorts } from '../support/clusterPorts.ts';
import { operationsFixture, type OperationsFixture } from '../support/operationsFixture.ts';
import { runOver } from '../support/planPorts.ts';
import { createByRedisCli, plainManifests, waitUntilWhole } from '../support/plainCluster.ts';

let fixture: OperationsFixture;
let access: KubernetesAccess;
let namespace: string;
let ports: ClusterPorts;

before(async () => {
  fixture = await operationsFixture('foreign', 'plain');
  ({ access, namespace, ports } = fixture);
  const plain = { namespace, name: 'plain', image: 'redis:7.0.15', storage: '1Gi', replicas: 6 };
  for (const object of plainManifests({ ...plain, podManagementPolicy: 'Parallel' }))
    await access.apply(object);
  const awaited = { namespace, statefulSet: 'plain', uid: undefined, pods: 6 };
  await waitForPods(ports, awaited, (pods) => {
    const ready = pods.filter((pod) => pod.ready).length;
    return Promise.resolve({ done: ready === 6, progress: { text: `ready ${ready}` } });
  });
  await createByRedisCli(ports, namespace, 'plain');
  await waitUntilWhole(ports, namespace, 'plain', 6);
});

after(() => fixture.close());

function reference() {
  return { context: access.context, namespace, name: 'plain' };
}

test('pods of manifests without an agent are joined as replicas of the masters with the fewest replicas', async () => {
  const before = await snapshotOf(ports, reference());
  assert.equal(before.workloads[0]?.bundled, false);
  const plan = planScale(before, { pods: 8 });
  assert.equal((await runOver(ports, { ...plan, ref: reference() })).cancelled, false);
  const { nodes } = await snapshotOf(ports, reference());
  const masters = nodes.filter((node) => node.role === 'master').map((node) => node.id);
  const counts = masters.map((id) => nodes.filter((node) => node.masterId === id).length);
  assert.deepEqual(counts.sort(), [1, 2, 2]);
  for (const { view } of nodes) assert.equal(view?.others.length, 7);
});

test('its StatefulSet and what provably belongs to it is deleted, nothing else', async () => {
  const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'plain-config', namespace } };
  await access.create(other);
  const plan = await prepareDelete(access, reference(), [], { volumes: true });
  const { deleted = [] } = await runOver(ports, { ...plan, ref: reference() });
  assert.deepEqual(deleted.slice(0, 2), ['StatefulSet plain', 'Service plain']);
  assert.equal(deleted.length, 10);
  assert.ok(await access.get('v1', 'ConfigMap', namespace, 'plain-config'));
});
