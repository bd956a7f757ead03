import type { KubernetesAccess, KubernetesObject } from '../kubernetes/kubernetesAccess.ts';
import {
  describeRef,
  isKubernetesRef,
  type ClusterRef,
  type KubernetesClusterRef,
} from '../model/clusterRef.ts';
import { cronText } from '../model/cron.ts';
import { quantity } from '../model/quantity.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { checkSchedule, claimSpec, presentSchedule, type Schedule } from './backups/schedule.ts';
import { backupName, componentObjects, scheduleObjects } from './backups/scheduleObjects.ts';
import { findTarget } from './backups/scheduleTarget.ts';
import { bytesOf } from './manifests/answers.ts';
import { instanceLabel, managedBy, managedByLabel } from './manifests/render.ts';
import type { Plan } from './plans/plan.ts';
import { refusal } from './servers/nodes.ts';
import { findBackupObjects } from './statefulSets/backupObjects.ts';
import { requireRights, type Right } from './statefulSets/rights.ts';
import { makeStep } from './steps/index.ts';

export interface SchedulePlan extends Plan {
  readonly objects: readonly KubernetesObject[];
}

const rights: readonly Right[] = (
  [
    ['cronjobs', 'batch'],
    ['configmaps', ''],
    ['serviceaccounts', ''],
    ['persistentvolumeclaims', ''],
    ['networkpolicies', 'networking.k8s.io'],
  ] as const
).flatMap(([resource, group]) => ['get', 'create', 'patch'].map((verb): Right => [verb, resource, group]));
/** A CronJob's name, with `-backup` at its end, has at most 52 characters. */
const longestName = 52 - '-backup'.length;

/** Throws a UserError where the cluster is not in Kubernetes. */
export function placeOfBackups(ref: ClusterRef): KubernetesClusterRef {
  if (isKubernetesRef(ref)) return ref;
  throw refusal(
    'invalid-input',
    `${describeRef(ref)} is not in Kubernetes, so no backups can be scheduled there. “Back Up…” copies its data to a folder.`,
  );
}

/** The objects of the schedule that are there. @param files the files of manifests/, by their paths in it */
export async function readScheduleObjects(
  access: KubernetesAccess,
  files: ReadonlyMap<string, string>,
  ref: KubernetesClusterRef,
): Promise<readonly KubernetesObject[]> {
  const found = await Promise.all(
    componentObjects(files, ref).map(({ apiVersion, kind, metadata: { name } }) =>
      access.get(apiVersion, kind, ref.namespace, name),
    ),
  );
  return found.filter((one) => one !== undefined);
}

/**
 * Plans what a schedule needs, or what is different from the one that is there. Changes nothing.
 * Throws a UserError where it cannot begin.
 */
export async function prepareSchedule(
  access: KubernetesAccess,
  files: ReadonlyMap<string, string>,
  snapshot: ClusterSnapshot,
  schedule: Schedule,
  existing: readonly KubernetesObject[],
  signedIn: Credentials,
): Promise<SchedulePlan> {
  const ref = placeOfBackups(snapshot.ref);
  checkSchedule(schedule);
  if (ref.name.length > longestName)
    throw refusal(
      'invalid-input',
      `The name ${ref.name} is too long for a CronJob: at most ${longestName} characters fit.`,
    );
  refuseForeign(ref, existing);
  refuseVolume(schedule, existing);
  await requireRights(access, ref.namespace, rights);
  const target = await findTarget(access, { ...snapshot, ref }, signedIn);
  const objects = scheduleObjects(files, ref, onVolumeOf(schedule, existing), target);
  return planSchedule(ref, schedule, objects, existing);
}

/** A volume that is there keeps its class, which cannot be changed, nor left out once it was named. */
function onVolumeOf(schedule: Schedule, existing: readonly KubernetesObject[]): Schedule {
  const claim = existing.find(({ kind }) => kind === 'PersistentVolumeClaim');
  const storageClass = claim && claimSpec(claim).storageClassName;
  return storageClass === undefined ? schedule : { ...schedule, storageClass };
}

function planSchedule(
  ref: KubernetesClusterRef,
  schedule: Schedule,
  objects: readonly KubernetesObject[],
  existing: readonly KubernetesObject[],
): SchedulePlan {
  const { keep, keepDays } = schedule;
  const before = presentSchedule(existing);
  const isReused = before === undefined && existing.some(({ kind }) => kind === 'PersistentVolumeClaim');
  return {
    ...{ ref, operation: 'scheduleBackup', request: schedule, objects, losses: [] },
    title: `${before === undefined ? 'Schedule' : 'Change the schedule of'} backups of ${describeRef(ref)}: ${scheduleText(schedule)}`,
    steps: [
      makeStep(
        'applyManifests',
        {
          objects: objects.map(({ kind, metadata: { name } }) => ({ kind, name })),
          ...(before === undefined ? {} : { changes: true }),
        },
        String,
      ),
    ],
    warnings: [
      `The newest ${quantity(keep, 'backup')} are kept on volume ${backupName(ref.name)} (${schedule.storage})${keepDays === 0 ? '' : `, and none longer than ${quantity(keepDays, 'day')} but the last`}.`,
      ...(isReused
        ? [`Volume ${backupName(ref.name)} of an earlier schedule is reused, with its backups.`]
        : []),
    ],
  };
}

export function scheduleText({ schedule, timeZone }: Pick<Schedule, 'schedule' | 'timeZone'>): string {
  return `${cronText(schedule)} (${timeZone})`;
}

function refuseForeign(ref: KubernetesClusterRef, existing: readonly KubernetesObject[]): void {
  const foreign = existing.filter(({ metadata: { labels = {} } }) => {
    return labels[managedByLabel] !== managedBy || labels[instanceLabel] !== ref.name;
  });
  if (foreign.length === 0) return;
  const names = foreign.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ');
  throw refusal(
    'already-exists',
    `${names} in namespace ${ref.namespace} (context ${ref.context}) was not created here and may belong to something else. Change the schedule where it was created, or delete it first.`,
  );
}

/** A volume grows, where its class lets it, and never changes its class. */
function refuseVolume({ storage, storageClass }: Schedule, existing: readonly KubernetesObject[]): void {
  const claim = existing.find(({ kind }) => kind === 'PersistentVolumeClaim');
  if (claim === undefined) return;
  const { storageClassName, resources } = claimSpec(claim);
  const { name } = claim.metadata;
  if (storageClass !== undefined && storageClass !== storageClassName)
    throw refusal(
      'invalid-input',
      `Volume ${name} is of class ${storageClassName ?? 'none'}; a volume’s class cannot be changed.`,
    );
  if (bytesOf(storage) < bytesOf(resources.requests.storage))
    throw refusal(
      'invalid-input',
      `Volume ${name} has ${resources.requests.storage}; a volume cannot shrink to ${storage}.`,
    );
}

/** Plans to remove the schedule. The volume with the backups stays. Throws a UserError where there is none. */
export async function prepareUnschedule(access: KubernetesAccess, snapshot: ClusterSnapshot): Promise<Plan> {
  const ref = placeOfBackups(snapshot.ref);
  await requireRights(
    access,
    ref.namespace,
    rights.flatMap(([verb, resource, group]): readonly Right[] =>
      verb === 'get' && resource !== 'persistentvolumeclaims'
        ? [
            ['list', resource, group],
            ['delete', resource, group],
          ]
        : [],
    ),
  );
  const { objects, claims } = await findBackupObjects(access, ref);
  if (objects.length === 0)
    throw refusal('nothing-to-do', `No backups of ${describeRef(ref)} are scheduled.`);
  const workloads = snapshot.workloads.map(({ name }) => name);
  return {
    ...{ ref, operation: 'scheduleBackup', request: { schedule: 'none' }, losses: [] },
    title: `Remove the schedule of backups of ${describeRef(ref)}`,
    steps: [makeStep('deleteObjects', { workloads, objects }, String)],
    warnings: claims.map((name) => `Kept: volume ${name} with the backups.`),
  };
}
