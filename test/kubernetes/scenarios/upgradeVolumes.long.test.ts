import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { changeSet } from '../../../src/operations/statefulSets/changeSet.ts';
import { readPods, readSet } from '../../../src/operations/statefulSets/facts.ts';
import { growVolumes } from '../../../src/operations/statefulSets/growVolumes.ts';
import { makeStep } from '../../../src/operations/steps/index.ts';
import type { ClusterPorts } from '../../support/clusterPorts.ts';
import { operationsFixture, type OperationsFixture } from '../../support/operationsFixture.ts';
import { runOver } from '../../support/planPorts.ts';
import type { Kubectl } from '../../support/scenarios/kubectl.ts';

const place = { statefulSet: 'plain', port: 6379 };
const labels = { app: 'plain' };
let fixture: OperationsFixture;
let access: KubernetesAccess;
let namespace: string;
let ports: ClusterPorts;
let kubectl: Kubectl;

before(async () => {
  fixture = await operationsFixture('upgrade-volumes', 'plain');
  ({ access, namespace, ports, kubectl } = fixture);
  await access.apply({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: namespace },
    provisioner: 'kubernetes-redis-cluster/directory',
    allowVolumeExpansion: true,
  });
  await access.apply(twoPods());
  await kubectl(['rollout', 'status', 'statefulset/plain', '--timeout=240s']);
});

after(async () => {
  await access.delete('storage.k8s.io/v1', 'StorageClass', '', namespace);
  await fixture.close();
});

function twoPods(): Parameters<KubernetesAccess['apply']>[0] {
  const container = {
    name: 'sleep',
    image: fixture.kubernetes.images.busybox,
    command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  const claim = {
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: namespace,
      resources: { requests: { storage: '1Gi' } },
    },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'plain', namespace },
    spec: {
      serviceName: 'plain',
      replicas: 2,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
      volumeClaimTemplates: [claim],
    },
  };
}

/** The test's provisioner grows nothing: what a resizer does to a claim's status is done by hand. */
async function growClaims(storage: string, pods: readonly string[]): Promise<void> {
  const status = JSON.stringify({ status: { capacity: { storage } } });
  for (const pod of pods) {
    const claim = `data-${pod}`;
    const wanted = `--for=jsonpath={.spec.resources.requests.storage}=${storage}`;
    await kubectl(['wait', `pvc/${claim}`, wanted, '--timeout=60s']);
    await kubectl(['patch', 'pvc', claim, '--subresource=status', '--type=merge', '-p', status]);
  }
}

test('volumes grow and the StatefulSet is made anew around its pods; none is touched', async (t) => {
  const before = await readPods(access, namespace, 'plain');
  const growing = growVolumes({ ...place, namespace }, '2Gi', ports);
  await growClaims('2Gi', ['plain-0', 'plain-1']);
  const started = performance.now();
  await growing;
  t.diagnostic(`${((performance.now() - started) / 1000).toFixed(1)} s`);
  const made = await readSet(access, namespace, 'plain');
  assert.deepEqual([made.claimTemplates[0]?.storage, made.partition], ['2Gi', 2]);
  await changeSet({ ...place, namespace }, { partition: 0 }, ports);
  assert.equal((await readSet(access, namespace, 'plain')).partition, 0);
  assert.equal(await access.get('v1', 'ConfigMap', namespace, 'plain-statefulset'), undefined);
  // The pods are the new StatefulSet's, and run on.
  await kubectl(['scale', 'statefulset', 'plain', '--replicas=3']);
  await kubectl(['rollout', 'status', 'statefulset/plain', '--timeout=240s']);
  const after = await readPods(access, namespace, 'plain');
  assert.deepEqual(
    after.slice(0, 2).map((pod) => pod.uid),
    before.map((pod) => pod.uid),
  );
});

test('where a run ends before the StatefulSet is created again, the next one creates it', async () => {
  const before = await readPods(access, namespace, 'plain');
  const create: KubernetesAccess['create'] = () => Promise.reject(new Error('the window was closed'));
  const dying = { ...ports, access: { ...access, create } };
  const ended = assert.rejects(
    growVolumes({ ...place, namespace }, '3Gi', dying),
    /could not be created again: the window was closed Its definition is in ConfigMap plain-statefulset/,
  );
  await growClaims(
    '3Gi',
    before.map(({ name }) => name),
  );
  await ended;
  assert.equal(await access.get('apps/v1', 'StatefulSet', namespace, 'plain'), undefined);
  const workload = { workload: 'plain', storage: '3Gi', port: 6379 };
  const ref = { context: access.context, namespace, name: 'plain' };
  const steps = [
    makeStep('growVolumes', workload, String),
    makeStep('openPartition', { workload: 'plain' }, String),
  ];
  const plan = { title: 'Grow', ref, operation: 'upgrade', request: {}, steps, warnings: [], losses: [] };
  assert.equal((await runOver(ports, plan)).skipped, 0);
  const set = await readSet(access, namespace, 'plain');
  assert.deepEqual([set.claimTemplates[0]?.storage, set.partition], ['3Gi', 0]);
  assert.equal(await access.get('v1', 'ConfigMap', namespace, 'plain-statefulset'), undefined);
  assert.deepEqual(
    (await readPods(access, namespace, 'plain')).map(({ uid }) => uid),
    before.map(({ uid }) => uid),
  );
});
