import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { planDeploy } from '../../../src/operations/deploy.ts';
import type { DeployAnswers } from '../../../src/operations/manifests/answers.ts';
import { exportYaml } from '../../../src/operations/manifests/exportYaml.ts';
import { readYaml } from '../../../src/operations/manifests/readYaml.ts';
import type { LeftClaim } from '../../../src/operations/statefulSets/claims.ts';
import type { DeployFacts } from '../../../src/operations/manifests/facts.ts';
import { renderManifests } from '../../../src/operations/manifests/render.ts';
import { manifestFiles } from '../../support/manifestFiles.ts';

const answers: DeployAnswers = {
  namespace: 'team',
  name: 'shop',
  masters: 4,
  replicasPerMaster: 2,
  image: 'valkey/valkey:8.1.1',
  storage: '5Gi',
  memory: '1Gi',
  auth: 'generate',
};

const files = manifestFiles();

function render(changed: Partial<DeployAnswers> = {}): readonly KubernetesObject[] {
  return renderManifests(files, { ...answers, ...changed });
}

function setOf(objects: readonly KubernetesObject[]): KubernetesObject {
  const set = objects.find((object) => object.kind === 'StatefulSet');
  assert.ok(set);
  return set;
}

function refusedWith(reason: string, message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.reason, reason);
    assert.match(error.message, message);
    return true;
  };
}

test('the manifests are changed to fit the answers, in every object', () => {
  const objects = render();
  const text = JSON.stringify(objects.filter((object) => object.kind !== 'ConfigMap'));
  assert.doesNotMatch(text.replaceAll('"app.kubernetes.io/name":"redis-cluster"', ''), /"redis-cluster/);
  for (const { kind, metadata } of objects) {
    assert.equal(metadata.namespace, 'team', kind);
    assert.match(metadata.name, /^shop(-|$)/);
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'kubernetes-redis-cluster');
    assert.equal(metadata.labels['app.kubernetes.io/instance'], 'shop');
    assert.equal(metadata.labels['app.kubernetes.io/name'], 'redis-cluster');
  }
  const spec = JSON.stringify(setOf(objects)['spec']);
  assert.match(spec, /"replicas":12/);
  assert.match(spec, /"serviceName":"shop"/);
  assert.match(spec, /\{"name":"MASTERS","value":"4"\}/);
  assert.match(spec, /\{"name":"REPLICAS","value":"2"\}/);
  assert.match(spec, /"storage":"5Gi"/);
  assert.equal(spec.match(/"image":"valkey\/valkey:8.1.1"/g)?.length, 2);
  assert.equal(spec.match(/"memory":"1Gi"/g)?.length, 2);
  assert.match(spec, /"secretKeyRef":\{"name":"shop-auth","key":"password"\}/);
});

test('what kubectl apply -k would make, with the default answers, is what is rendered', () => {
  const objects = render({ name: 'redis-cluster', masters: 3, replicasPerMaster: 1, storage: '1Gi' });
  assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
    'ConfigMap redis-cluster-config',
    'ConfigMap redis-cluster-scripts',
    'NetworkPolicy redis-cluster',
    'PodDisruptionBudget redis-cluster',
    'Service redis-cluster',
    'Service redis-cluster-clients',
    'ServiceAccount redis-cluster',
    'StatefulSet redis-cluster',
  ]);
  const scripts = objects.find((object) => object.metadata.name === 'redis-cluster-scripts');
  const data = scripts?.['data'] as Readonly<Record<string, string>>;
  assert.equal(data['start.sh'], files.get('scripts/start.sh'));
});

test('what is exported is what is applied, as Kubernetes reads it, and no Secret is in it', () => {
  const yaml = exportYaml(files, answers);
  const read = readYaml(yaml) as readonly KubernetesObject[];
  const applied = render().map((object) => (object.kind === 'StatefulSet' ? begun('deployed') : object));
  const byName = (one: KubernetesObject, other: KubernetesObject): number =>
    `${one.kind} ${one.metadata.name}`.localeCompare(`${other.kind} ${other.metadata.name}`);
  assert.deepEqual(read.toSorted(byName), applied.toSorted(byName));
  assert.ok(read.every(({ kind }) => kind !== 'Secret'));
  assert.match(
    yaml,
    /^# Redis Cluster shop in namespace team: .*\n# The pods need the Secret shop-auth \(password\)/,
  );
  assert.deepEqual(
    read.slice(-3).map(({ metadata }) => metadata.name),
    ['shop-config', 'shop-scripts', 'shop'],
  );
});

test('the password comes from where the answers say', () => {
  const none = JSON.stringify(setOf(render({ auth: 'none' })));
  assert.doesNotMatch(none, /secretKeyRef|REDISCLI_AUTH|shop-auth|redis-cluster-auth/);
  assert.equal(none.match(/\{"name":"PASSWORD_REQUIRED","value":"no"\}/g)?.length, 2);
  const own = JSON.stringify(setOf(render({ auth: { secret: 'mine', key: 'pw' } })));
  assert.match(own, /"secretKeyRef":\{"name":"mine","key":"pw"\}/);
  assert.match(own, /"secretName":"mine".*\{"key":"pw","path":"password"\}/);
  assert.doesNotMatch(own, /shop-auth/);
});

test('a name that begins like the manifests own is not renamed twice', () => {
  const objects = render({ name: 'redis-cluster-2' });
  assert.equal(setOf(objects).metadata.name, 'redis-cluster-2');
  assert.match(JSON.stringify(setOf(objects)), /"serviceName":"redis-cluster-2"/);
});

test('answers that cannot be are refused before anything is asked', () => {
  const cases: [Partial<DeployAnswers>, RegExp][] = [
    [{ name: 'Shop' }, /"Shop" cannot be a name/],
    [{ name: '1shop' }, /must start with a letter/],
    [{ name: 'x'.repeat(53) }, /53 characters, at most 52/],
    [{ name: '' }, /cannot be a name/],
    [{ namespace: 'a_b' }, /cannot be a namespace/],
    [{ masters: 2 }, /at least 3 masters/],
    [{ masters: 3.5 }, /at least 3 masters/],
    [{ masters: 400 }, /1,200 pods.*at most 1000/],
    [{ replicasPerMaster: -1 }, /0 to 5/],
    [{ replicasPerMaster: 6 }, /0 to 5/],
    [{ image: ' ' }, /image is missing/],
    [{ image: 'redis 7' }, /not the name of an image/],
    [{ storage: '1 GB' }, /not an amount of storage/],
    [{ storage: '1' }, /Add a unit/],
    [{ memory: '-5Mi' }, /not an amount of memory/],
    [{ memory: '256' }, /Add a unit/],
    [{ auth: { secret: '', key: 'k' } }, /name a Secret and a key/],
    [{ storageClass: 'Fast!' }, /cannot be the name of a StorageClass/],
    [{ overlays: ['dev', 'production'] }, /exclude each other/],
    [{ overlays: ['servicemonitor'] }, /requires metrics/],
    [{ overlays: ['dev'] }, /no volumes: remove “storage”/],
  ];
  for (const [changed, message] of cases) {
    assert.throws(() => render(changed), refusedWith('invalid-input', message));
  }
  for (const storage of ['1Gi', '500M', '1.5Ti', '1073741824', '2e9']) render({ storage });
});

const free: DeployFacts = {
  namespace: 'there',
  existing: [],
  missingKinds: [],
  claims: [],
  storageClasses: [{ name: 'standard', isDefault: true }],
  secrets: new Map(),
  workers: 3,
  forbidden: [],
};

function left(ordinal: number, shape = '4x2', password = 'shop-auth/password'): LeftClaim {
  return { name: `data-shop-${String(ordinal)}`, ordinal, record: { shape, password } };
}

const kept = new Map([['shop-auth', ['password']]]);

function plan(facts: Partial<DeployFacts>, changed: Partial<DeployAnswers> = {}) {
  return planDeploy('dev', { ...answers, ...changed }, render(changed), { ...free, ...facts });
}

/** The StatefulSet with a state. */
function begun(state: string, changed: Partial<DeployAnswers> = {}): KubernetesObject {
  const set = setOf(render(changed));
  const annotations = { 'kubernetes-redis-cluster/state': state };
  return { ...set, metadata: { ...set.metadata, annotations } };
}

test('where everything is free the plan says what is made', () => {
  const made = plan({});
  assert.match(made.title, /shop \(context dev, namespace team\): 4 masters, 2 replicas each/);
  const [secret, objects, cluster] = made.steps.map(({ text }) => text);
  assert.match(secret ?? '', /Create Secret shop-auth with a random password/);
  assert.match(objects ?? '', /Create .*ConfigMap shop-config/);
  assert.match(cluster ?? '', /Wait until 12 pods of .* are ready and every node reports all 16,384 slots/);
  assert.deepEqual([made.losses, made.warnings, made.beginning], [[], [], 'new']);
  assert.equal(plan({}, { auth: 'none', replicasPerMaster: 0 }).warnings.length, 2);
});

test('what stands in the way is named, and nothing is changed', () => {
  const service: KubernetesObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop' } };
  const cases: [Partial<DeployFacts>, string, RegExp][] = [
    [
      { namespace: 'missing' },
      'not-found',
      /"team" does not exist in context dev.*kubectl --context dev create namespace team/,
    ],
    [{ namespace: 'terminating' }, 'unsafe', /is being deleted/],
    [{ forbidden: ['create statefulsets'] }, 'forbidden', /not allowed to create statefulsets/],
    [{ existing: [service] }, 'already-exists', /"shop" is taken.*Service shop/],
    [{ existing: [begun('deployed')] }, 'already-exists', /StatefulSet shop/],
    [{ existing: [begun('deploying', { masters: 3 })] }, 'already-exists', /with other answers was started/],
    [{ claims: [{ name: 'data-shop-0', ordinal: 0 }] }, 'already-exists', /data-shop-0 does not record/],
    [{ claims: [left(0)], secrets: kept }, 'already-exists', /"adopt": true/],
    [{ claims: [left(0)] }, 'already-exists', /Secret "shop-auth" no longer exists/],
    [
      { claims: [left(0, '3x1')], secrets: kept },
      'already-exists',
      /of 3 masters with 1 replica each, not 4/,
    ],
    [
      { claims: [left(0, '4x2', 'none')], secrets: kept },
      'already-exists',
      /with no password, not the password of/,
    ],
    [{ storageClasses: [{ name: 'slow', isDefault: false }] }, 'not-found', /no default StorageClass.*slow/],
    [{ secrets: new Map([['shop-auth', ['pw']]]) }, 'not-found', /"shop-auth".*has no key password.*kubectl/],
    [{ missingKinds: ['ServiceMonitor'] }, 'not-found', /does not know the kind ServiceMonitor.*operator/],
  ];
  for (const [facts, reason, message] of cases) {
    assert.throws(() => plan(facts), refusedWith(reason, message));
    assert.throws(() => plan(facts), refusedWith(reason, /Nothing was changed/));
  }
});

test('what the answers need and is not there is named', () => {
  const cases: [Partial<DeployAnswers>, string, RegExp][] = [
    [{ storageClass: 'fast' }, 'not-found', /no StorageClass "fast"\. It has: standard/],
    [{ auth: { secret: 'mine', key: 'pw' } }, 'not-found', /Secret "mine".*does not exist.*from-file=pw/],
    [{ overlays: ['production'] }, 'unsafe', /12 pods need 12 Kubernetes nodes.*has 3/],
  ];
  for (const [changed, reason, message] of cases)
    assert.throws(() => plan({}, changed), refusedWith(reason, message));
  assert.throws(
    () => plan({ workers: 1 }, { overlays: ['spread'] }),
    refusedWith('unsafe', /never puts all pods on one Kubernetes node.*has 1/),
  );
  assert.doesNotThrow(() => plan({ workers: 2 }, { overlays: ['spread'] }));
});

test('volumes of the same shape and password are taken over, with as many pods as there were', () => {
  const claims = Array.from({ length: 14 }, (_, ordinal) => left(ordinal)).filter(
    ({ ordinal }) => ordinal !== 4,
  );
  const adopting = plan({ claims, secrets: kept }, { adopt: true });
  assert.deepEqual([adopting.beginning, adopting.pods], ['adopts', 14]);
  assert.match(adopting.warnings.join(), /13 volumes.*reused.*volumes of pods 4 are missing/);
});

test('overlays are put on top of the base', () => {
  const { namespace, name, masters, replicasPerMaster, auth } = answers;
  const chosen = ['metrics', 'dev'] as const;
  const shape = { namespace, name, masters, replicasPerMaster };
  const dev = renderManifests(files, { ...shape, image: 'valkey/valkey:8.1.1', auth, overlays: chosen });
  assert.equal((setOf(dev)['spec'] as Record<string, unknown>)['volumeClaimTemplates'], undefined);
  const text = JSON.stringify(dev.filter(({ kind }) => kind !== 'ConfigMap'));
  assert.match(text, /"name":"shop-metrics"/);
  assert.match(text, /"image":"oliver006/);
  assert.equal(text.match(/"image":"valkey\/valkey:8.1.1"/g)?.length, 2);
});

test('an unfinished deployment with the same answers is gone on with, its volumes are no obstacle', () => {
  const goesOn = plan({ existing: [begun('deploying')], claims: [left(0)] });
  assert.equal(goesOn.beginning, 'goesOn');
  assert.match(goesOn.warnings.join(), /this one resumes it/);
});
