import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Candidate,
  KubernetesAccess,
  KubernetesObject,
} from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { presentSchedule, usualSchedule, type Schedule } from '../../../src/operations/backups/schedule.ts';
import {
  prepareSchedule,
  prepareUnschedule,
  readScheduleObjects,
  type SchedulePlan,
} from '../../../src/operations/scheduleBackup.ts';
import { manifestFiles } from '../../support/manifestFiles.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const files = manifestFiles();
const whole = snapshotOf(ids.map((id) => source(id)));
const place = { context: 'dev', namespace: 'team', name: 'db' };
const snapshot = {
  ...whole,
  ref: place,
  name: 'db',
  nodes: whole.nodes.map((node) => ({
    ...node,
    ...(node.pod?.ip === undefined ? {} : { host: node.pod.ip }),
  })),
};
const password = 'do not tell';
const labels = { app: 'db' };
const service = (name: string, spec: object): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
  spec: { selector: labels, ...spec },
});

interface World {
  readonly services?: readonly KubernetesObject[];
  readonly objects?: readonly KubernetesObject[];
  readonly secret?: string;
  readonly denied?: string;
}

function accessTo({ services, objects = [], secret = password, denied }: World = {}): KubernetesAccess {
  const own = services ?? [
    service('db-nodes', { clusterIP: 'None' }),
    service('other', { selector: { app: 'x' } }),
  ];
  const [workload] = snapshot.workloads;
  const passwords = [{ password: { secret: 'db-secret', key: 'redis-password' } }];
  const access: Partial<KubernetesAccess> = {
    context: 'dev',
    get: (_version, kind, _namespace, name) => {
      if (kind === 'Pod')
        return Promise.resolve({ apiVersion: 'v1', kind, metadata: { name, labels }, spec: {} });
      if (kind === 'StatefulSet') {
        const spec = { selector: { matchLabels: labels } };
        return Promise.resolve({ apiVersion: 'apps/v1', kind, metadata: { name }, spec });
      }
      return Promise.resolve(objects.find((one) => one.kind === kind && one.metadata.name === name));
    },
    list: (_version, kind) => Promise.resolve([...own, ...objects].filter((one) => one.kind === kind)),
    discover: () =>
      Promise.resolve(
        workload === undefined
          ? []
          : ([
              {
                namespace: 'team',
                workload,
                pods: [],
                signIn: { passwords, ifRefused: { passwords: [], files: [] } },
              },
            ] as unknown as Candidate[]),
      ),
    readSecret: () => Promise.resolve(secret),
    may: (_verb, resource) => Promise.resolve(resource !== denied),
  };
  return access as KubernetesAccess;
}

async function planned(
  world: World = {},
  schedule: Partial<Schedule> = {},
  credentials: object = { password },
): Promise<SchedulePlan> {
  const access = accessTo(world);
  const existing = await readScheduleObjects(access, files, place);
  return prepareSchedule(access, files, snapshot, { ...usualSchedule, ...schedule }, existing, credentials);
}

const refusedWith = (message: RegExp) => (error: unknown) =>
  error instanceof UserError && message.test(error.message) && error.message.includes('Nothing was changed.');

test('the objects of a schedule are named for the cluster and find its servers, and hold no password', async () => {
  const plan = await planned({}, { keep: 3, keepDays: 30, storage: '20Gi', storageClass: 'fast' });
  assert.match(plan.title, /every day at 03:00 \(Etc\/UTC\)/);
  assert.deepEqual(
    [...new Set(plan.objects.map(({ metadata: { name, namespace } }) => `${namespace ?? ''}/${name}`))],
    ['team/db-backup'],
  );
  const text = JSON.stringify(plan);
  assert.ok(!text.includes(password));
  const cronJob = JSON.stringify(plan.objects.find(({ kind }) => kind === 'CronJob'));
  for (const part of [
    '{"name":"CLUSTER","value":"db"}',
    '{"name":"SEED","value":"db-nodes"}',
    '{"name":"KEEP","value":"3"}',
    '{"name":"KEEP_DAYS","value":"30"}',
    '"secretKeyRef":{"name":"db-secret","key":"redis-password"}',
    `"image":"${snapshot.nodes[0]?.pod?.image ?? ''}"`,
    '"claimName":"db-backup"',
  ])
    assert.ok(cronJob.includes(part), part);
  assert.ok(!cronJob.includes('redis-cluster-tls"}'), 'without TLS there are no certificates');
  const policy = JSON.stringify(plan.objects.find(({ kind }) => kind === 'NetworkPolicy'));
  assert.ok(policy.includes('{"podSelector":{"matchLabels":{"app":"db"}}}'), policy);
  assert.deepEqual(presentSchedule(plan.objects), {
    ...{
      schedule: '0 3 * * *',
      timeZone: 'Etc/UTC',
      keep: 3,
      keepDays: 30,
      storage: '20Gi',
      storageClass: 'fast',
    },
  });
});

test('a schedule that is there is changed, and another’s is left alone', async () => {
  const { objects } = await planned();
  const again = await planned({ objects }, { schedule: '*/10 * * * *' });
  assert.match(again.title, /^Change the schedule of backups of db .*every 10 minutes/);
  assert.match(again.steps[0]?.text ?? '', /^Update /);
  const foreign = objects.map((one) => ({ ...one, metadata: { ...one.metadata, labels: {} } }));
  await assert.rejects(
    planned({ objects: foreign }),
    refusedWith(/CronJob db-backup.* was not created here/),
  );
  await assert.rejects(planned({ objects }, { storage: '1Gi' }), refusedWith(/cannot shrink/));
  await assert.rejects(
    planned({ objects }, { storageClass: 'slow' }),
    refusedWith(/class cannot be changed/),
  );
  const claims = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
  const reused = await planned({ objects: claims });
  assert.match(reused.warnings.join(), /earlier schedule is reused/);
});

test('the volume of an earlier schedule keeps its class, which cannot be left out again', async () => {
  const { objects } = await planned({}, { storageClass: 'fast' });
  const claims = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
  const again = await planned({ objects: claims });
  assert.equal(presentSchedule(again.objects)?.storageClass, 'fast');
});

test('a schedule whose pod could not reach the servers or sign in to them is refused', async () => {
  await assert.rejects(planned({ services: [] }), refusedWith(/No Service leads to the servers of db/));
  await assert.rejects(planned({ secret: 'another' }), refusedWith(/The password of db is in no Secret/));
  await assert.rejects(planned({}, {}, { tls: {} }), refusedWith(/speak TLS/));
  await assert.rejects(
    planned({ denied: 'cronjobs' }),
    refusedWith(/not allowed to get cronjobs, create cronjobs/),
  );
  await assert.rejects(planned({}, { schedule: 'daily' }), /is not a schedule/);
  const clusterIp = service('db', { clusterIP: '10.0.0.1', ports: [{ port: 6380, targetPort: 6379 }] });
  const { objects } = await planned({ services: [clusterIp] });
  assert.ok(JSON.stringify(objects).includes('{"name":"PORT","value":"6380"}'));
});

test('a schedule is removed without its volume', async () => {
  const { objects } = await planned();
  const plan = await prepareUnschedule(accessTo({ objects }), snapshot);
  assert.equal(
    plan.steps.map(({ text }) => text).join(),
    'Delete CronJob db-backup, ConfigMap db-backup, NetworkPolicy db-backup, ServiceAccount db-backup',
  );
  assert.deepEqual(plan.warnings, ['Kept: volume db-backup with the backups.']);
  await assert.rejects(
    prepareUnschedule(accessTo(), snapshot),
    refusedWith(/No backups of db .* are scheduled/),
  );
  const elsewhere = { ...snapshot, ref: { addresses: ['10.0.0.1:6379'] } };
  await assert.rejects(prepareUnschedule(accessTo(), elsewhere), refusedWith(/is not in Kubernetes/));
});
