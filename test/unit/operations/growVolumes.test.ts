import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { runPlan, type RunPorts } from '../../../src/operations/run/runPlan.ts';
import { makeStep } from '../../../src/operations/steps/index.ts';
import { concurrentMoves } from '../../../src/redis/moveSlots/concurrentMoves.ts';

const ref = { context: 'dev', namespace: 'team', name: 'db' };
const fields = { workload: 'db', storage: '2Gi', port: 6379 };
const plan = {
  ...{ title: 'Grow', ref, operation: 'upgrade', request: {}, warnings: [], losses: [] },
  steps: [makeStep('growVolumes', fields, String)],
};
const resources = { requests: { storage: '2Gi' } };
const set = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'team' },
  spec: {
    replicas: 1,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    template: { spec: { containers: [{ name: 'redis' }] } },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { resources } }],
  },
};
const status = { observedGeneration: 1, updateRevision: 'a', currentRevision: 'a' };

/** A namespace in which a run has deleted the StatefulSet, has not created it again, and has kept this of it. */
function world(kept: object) {
  const all = new Map<string, KubernetesObject>();
  const add = (one: Pick<KubernetesObject, 'kind' | 'metadata'>, more: object): unknown =>
    all.set(`${one.kind}/${one.metadata.name}`, { apiVersion: 'v1', ...one, ...more });
  add({ kind: 'ConfigMap', metadata: { name: 'db-statefulset' } }, { data: kept });
  add({ kind: 'Pod', metadata: { name: 'db-0', labels: { 'controller-revision-hash': 'a' } } }, {});
  const grown = { spec: { resources }, status: { capacity: { storage: '2Gi' } } };
  add({ kind: 'PersistentVolumeClaim', metadata: { name: 'data-db-0' } }, grown);
  const access = {
    get: (_version: string, kind: string, _namespace: string, name: string) =>
      Promise.resolve(all.get(`${kind}/${name}`)),
    list: (_version: string, kind: string) =>
      Promise.resolve([...all.values()].filter((one) => one.kind === kind)),
    create: (one: KubernetesObject) => {
      add(one, { metadata: { ...one.metadata, generation: 1 }, status });
      return Promise.resolve();
    },
    delete: (...[, kind, , name]: Parameters<KubernetesAccess['delete']>) =>
      Promise.resolve(all.delete(`${kind}/${name}`)),
  } as unknown as KubernetesAccess;
  const ports = {
    ...{ redis: { concurrentMoves }, kubernetes: { access, namespace: 'team' } },
    ...{ report: () => undefined, signal: new AbortController().signal, now: () => 0 },
    delay: () => Promise.resolve(),
  } as unknown as RunPorts;
  return { all, ports };
}

test('resumed after its StatefulSet was deleted, a growing of volumes creates it as it was kept', async () => {
  const { all, ports } = world({ 'statefulset.json': JSON.stringify(set) });
  const { steps, skipped } = await runPlan(plan, ports);
  assert.deepEqual([steps, skipped], [1, 0]);
  assert.deepEqual(all.get('StatefulSet/db')?.['spec'], set.spec);
  assert.ok(!all.has('ConfigMap/db-statefulset'));
});

test('what a ConfigMap of that name keeps of another object is not created', async () => {
  const other = { ...set, metadata: { ...set.metadata, name: 'other' } };
  for (const kept of [{}, { 'statefulset.json': JSON.stringify(other) }]) {
    const { all, ports } = world(kept);
    await assert.rejects(runPlan(plan, ports), /StatefulSet db no longer exists in namespace team/);
    assert.ok(all.has('ConfigMap/db-statefulset') && !all.has('StatefulSet/other'));
  }
});
