import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { KubernetesAccess, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { planDelete, prepareDelete } from '../../../src/operations/delete.ts';
import { findClusterObjects } from '../../../src/operations/statefulSets/clusterObjects.ts';
import { ids, pod, snapshotOf, source } from '../sample.ts';

const ref = { context: 'dev', namespace: 'team', name: 'db' };

function object(kind: string, name: string, parts: object = {}, metadata: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name, ...metadata }, ...parts };
}

function accessTo(objects: readonly KubernetesObject[]): KubernetesAccess {
  const access: Partial<KubernetesAccess> = {
    context: 'dev',
    get: (_apiVersion, kind, _namespace, name) =>
      Promise.resolve(objects.find((one) => one.kind === kind && one.metadata.name === name)),
    list: (_apiVersion, kind, _namespace, selector = '') => {
      const wanted = selector === '' ? [] : selector.split(',').map((part) => part.split('='));
      const fits = (one: KubernetesObject): boolean =>
        wanted.every(([label = '', value]) => one.metadata.labels?.[label] === value);
      return Promise.resolve(objects.filter((one) => one.kind === kind && fits(one)));
    },
  };
  return access as KubernetesAccess;
}

const selector = { matchLabels: { app: 'db' } };
const spec = {
  replicas: 6,
  serviceName: 'db-nodes',
  selector,
  volumeClaimTemplates: [{ metadata: { name: 'data' } }],
  template: { spec: { containers: [{ name: 'redis' }] } },
};
const foreign = [
  object('StatefulSet', 'db', { spec }, { uid: 'u1' }),
  object('Service', 'db-nodes'),
  object('Service', 'db'),
  object('ConfigMap', 'db-config'),
  object('ConfigMap', 'db-owned', {}, { ownerReferences: [{ kind: 'StatefulSet', name: 'db', uid: 'u1' }] }),
  object('PodDisruptionBudget', 'any', { spec: { selector } }),
  object('PodDisruptionBudget', 'other', { spec: { selector: { matchLabels: { app: 'x' } } } }),
  object('Secret', 'db-auth'),
  object('PersistentVolumeClaim', 'data-db-10'),
  object('PersistentVolumeClaim', 'data-db-2'),
  object('PersistentVolumeClaim', 'data-db-web-0'),
];

function labels(parts: object = {}): object {
  const own = {
    'app.kubernetes.io/instance': 'db',
    'app.kubernetes.io/name': 'redis-cluster',
    'app.kubernetes.io/managed-by': 'kubernetes-redis-cluster',
  };
  return { labels: { ...own, ...parts } };
}

test('of a foreign cluster only what provably belongs to it is deleted, and volumes only on request', async () => {
  const plan = await prepareDelete(accessTo(foreign), ref, [], { volumes: false });
  assert.equal(
    plan.steps[0]?.text,
    'Delete StatefulSet db, Service db-nodes, ConfigMap db-owned, PodDisruptionBudget any',
  );
  assert.match(
    plan.warnings.join(),
    /Kept: 2 volumes \(data-db-2 to data-db-10\)\..*The pods of 2 volumes \(data-db-2 to data-db-10\) are gone; what these volumes hold is unknown/,
  );
  assert.equal(plan.losses.length, 1);
  const all = await prepareDelete(accessTo(foreign), ref, [], { volumes: true });
  assert.deepEqual(
    all.steps.slice(1).map(({ text }) => text),
    [
      'Wait until all pods of StatefulSet db are gone',
      'Delete the volumes data-db-2, data-db-10',
      'Wait until all 2 volumes are gone',
    ],
  );
  assert.match(
    all.losses.join(),
    /All keys on 2 volumes \(data-db-2 to data-db-10\) are permanently deleted/,
  );
  assert.match(all.title, /db \(context dev, namespace team\) with its volumes/);
});

test('a Service that two StatefulSets name is not deleted with one of them', async () => {
  const shared = [...foreign, object('StatefulSet', 'db-b', { spec }, { uid: 'u2' })];
  const plan = await prepareDelete(accessTo(shared), ref, [], { volumes: false });
  assert.doesNotMatch(plan.steps[0]?.text ?? '', /Service/);
});

test('ours is known by its labels, and its generated Secret goes with the volumes', async () => {
  const ours = [
    object('StatefulSet', 'db', { spec }, labels()),
    object('Service', 'db', {}, labels()),
    object('ConfigMap', 'db-scripts', {}, labels()),
    object('NetworkPolicy', 'db', {}, labels()),
    object('ServiceAccount', 'db', {}, labels()),
    object('ConfigMap', 'web', {}, labels({ 'app.kubernetes.io/instance': 'web' })),
    object('Secret', 'db-auth', {}, labels()),
    object('PersistentVolumeClaim', 'data-db-0', {}, labels()),
  ];
  const kept = await prepareDelete(accessTo(ours), ref, [], { volumes: false });
  assert.equal(
    kept.steps[0]?.text,
    'Delete StatefulSet db, Service db, ConfigMap db-scripts, NetworkPolicy db, ServiceAccount db',
  );
  const all = await prepareDelete(accessTo(ours), ref, [], { volumes: true });
  assert.deepEqual(
    all.steps.slice(2).map(({ text }) => text),
    ['Delete the volumes data-db-0', 'Delete Secret db-auth', 'Wait until the volume is gone'],
  );
  const withoutSet = await prepareDelete(accessTo(ours.slice(1)), ref, [], { volumes: true });
  assert.match(withoutSet.steps[0]?.text ?? '', /^Delete Service db/);
  assert.deepEqual(
    withoutSet.steps.map(({ kind }) => kind),
    ['deleteObjects', 'deleteVolumes', 'deleteObjects', 'waitUntilGone'],
  );
});

test('without volumes all keys are lost, and the plan says so', async () => {
  const without = { ...spec, volumeClaimTemplates: [] };
  const plan = await prepareDelete(accessTo([object('StatefulSet', 'db', { spec: without })]), ref, [], {
    volumes: false,
  });
  assert.match(plan.losses.join(), /All keys are permanently deleted with the pods/);
});

test('what somebody would make again, or is not there, is refused', async () => {
  const owner = { ownerReferences: [{ kind: 'RedisCluster', name: 'db', uid: 'x', controller: true }] };
  await assert.rejects(
    prepareDelete(accessTo([object('StatefulSet', 'db', { spec }, owner)]), ref, [], { volumes: false }),
    /managed by RedisCluster "db"\. Its operator would create it again.*Delete it there\. Nothing was deleted/,
  );
  const other = { kind: 'Other' as const, name: 'db-7d9f', replicas: 1, readyReplicas: 1, bundled: false };
  const owned = {
    ownerReferences: [{ apiVersion: 'x/v1', kind: 'InstanceSet', name: 'db', controller: true }],
  };
  for (const [metadata, message] of [
    [{}, /"db-7d9f", which is not a StatefulSet .* Delete it with the tool that created it\. Nothing was/],
    [
      owned,
      /"db-7d9f", .* managed by InstanceSet "db"\. Its operator .* Delete it there\. Nothing was deleted/,
    ],
  ] as const) {
    const candidates = [{ namespace: 'team', workload: other, pods: [pod('db-0', '10.0.0.1')] }];
    const access = {
      ...accessTo([object('Pod', 'db-0', {}, metadata)]),
      discover: () => Promise.resolve(candidates),
    };
    await assert.rejects(prepareDelete(access, ref, [other], { volumes: false }), message);
  }
  await assert.rejects(
    prepareDelete(accessTo([]), ref, [], { volumes: false }),
    /Nothing of db .* was found/,
  );
});

test('what a tool has made is refused by its name before anything is asked, as everywhere else', async () => {
  const helm = { annotations: { 'meta.helm.sh/release-name': 'db' } };
  const argo = { labels: { 'argocd.argoproj.io/instance': 'shop' } };
  for (const [metadata, message] of [
    [helm, /managed by the Helm release "db"\. Helm would create it again.*Nothing was deleted/],
    [argo, /managed by the Argo CD application "shop"/],
  ] as const) {
    const set = object('StatefulSet', 'db', { spec }, metadata);
    await assert.rejects(findClusterObjects(accessTo([set]), ref, []), message);
  }
});

test('what each volume holds is said by who mounts it, and all keys are lost where no container does', async () => {
  const inPod = (index: number, isMounted: boolean): KubernetesObject =>
    object('Pod', `db-${index}`, {
      spec: {
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-db-${index}` } }],
        containers: [{ volumeMounts: [{ name: isMounted ? 'data' : 'other' }] }],
      },
    });
  const nodes = snapshotOf(
    ids.map((id, index) => ({
      ...source(id),
      pod: pod(`db-${index}`, `10.0.0.${index}`, { workload: 'db' }),
    })),
  ).nodes;
  const planned = async (isMounted: (index: number) => boolean, volumes = false, inPods = nodes) => {
    const objects = [0, 1, 2, 3, 4, 5].flatMap((index) => [
      inPod(index, isMounted(index)),
      object('PersistentVolumeClaim', `data-db-${index}`),
    ]);
    const access = accessTo([object('StatefulSet', 'db', { spec }), ...objects]);
    return planDelete(ref, await findClusterObjects(access, ref, []), { volumes }, inPods);
  };
  const kept = await planned(() => true);
  assert.match(
    kept.warnings.join(' '),
    /Pods mount 6 volumes \(data-db-0 to data-db-5\); their servers hold 300 keys/,
  );
  assert.doesNotMatch(kept.losses.join(' '), /[Kk]eys/);
  const none = await planned(() => false);
  assert.match(
    none.warnings.join(' '),
    /No container mounts 6 volumes .*: no keys of this cluster are there/,
  );
  assert.match(none.losses.join(' '), /All keys are permanently deleted with the pods/);
  const some = await planned((index) => index > 0);
  assert.match(some.warnings.join(' '), /hold 200 keys.*No container mounts the volume data-db-0/);
  assert.match(some.losses.join(' '), /The keys of db-0 are permanently deleted/);

  const elsewhere = nodes.map((node) =>
    node.pod === undefined ? node : { ...node, pod: { ...node.pod, storage: 'none' as const } },
  );
  const beside = await planned(() => true, false, elsewhere);
  assert.match(
    beside.warnings.join(' '),
    /keep their data in other folders than those of 6 volumes .*: no keys of this cluster are there/,
  );
  assert.match(beside.losses.join(' '), /All keys are permanently deleted with the pods/);
});

test('where a right is missing the refusal says that nothing was deleted', async () => {
  const denied = new UserError('forbidden', 'Not allowed to get StatefulSet "db" in team.');
  const access = { ...accessTo([]), get: () => Promise.reject(denied) };
  await assert.rejects(findClusterObjects(access, ref, []), {
    reason: 'forbidden',
    message: 'Not allowed to get StatefulSet "db" in team. Nothing was deleted.',
  });
});
