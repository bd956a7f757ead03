import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { checkTimeZone, parseCron } from '../../model/cron.ts';
import { UserError } from '../../model/errors.ts';
import { checkQuantity } from '../manifests/answers.ts';

/** When a cluster is backed up, and what is kept. */
export interface Schedule {
  /** Five fields, as a CronJob takes them. */
  readonly schedule: string;
  readonly timeZone: string;
  /** How many backups are kept. */
  readonly keep: number;
  /** Days after which one is removed although it is one of those; 0 for any age. */
  readonly keepDays: number;
  /** The size of the volume, a Kubernetes quantity. */
  readonly storage: string;
  /** Absent for the default class. */
  readonly storageClass?: string;
}

export const usualSchedule: Schedule = {
  ...{ schedule: '0 3 * * *', timeZone: 'Etc/UTC', keep: 7, keepDays: 0, storage: '10Gi' },
};

/** Throws a UserError that says which answer cannot be. */
export function checkSchedule({ schedule, timeZone, keep, keepDays, storage }: Schedule): void {
  parseCron(schedule);
  checkTimeZone(timeZone);
  if (!Number.isInteger(keep) || keep < 1 || keep > 1000)
    throw new UserError('invalid-input', `Between 1 and 1,000 backups can be kept, not ${keep}.`);
  if (!Number.isInteger(keepDays) || keepDays < 0)
    throw new UserError(
      'invalid-input',
      `Backups can be kept for a number of days, or 0 for any age, not ${keepDays}.`,
    );
  checkQuantity('storage', storage);
}

interface CronJobSpec {
  readonly schedule: string;
  readonly timeZone?: string;
  readonly jobTemplate: { readonly spec: { readonly template: { readonly spec: PodSpec } } };
}

export interface PodSpec {
  readonly containers: readonly BackupContainer[];
  readonly volumes?: readonly { readonly name: string }[];
}

interface BackupContainer {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly Variable[];
  readonly volumeMounts?: readonly { readonly name: string }[];
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

export function cronJobSpec(object: KubernetesObject): CronJobSpec {
  return object['spec'] as CronJobSpec;
}

export interface ClaimSpec {
  readonly storageClassName?: string;
  readonly resources: { readonly requests: { readonly storage: string } };
}

export function claimSpec(object: KubernetesObject): ClaimSpec {
  return object['spec'] as ClaimSpec;
}

/** What the objects that are there say; undefined where there is no schedule. */
export function presentSchedule(existing: readonly KubernetesObject[]): Schedule | undefined {
  const cronJob = existing.find(({ kind }) => kind === 'CronJob');
  if (cronJob === undefined) return undefined;
  const claim = existing.find(({ kind }) => kind === 'PersistentVolumeClaim');
  const { schedule, timeZone, jobTemplate } = cronJobSpec(cronJob);
  const { env = [] } = jobTemplate.spec.template.spec.containers[0] ?? {};
  const numberOf = (name: string, usual: number): number =>
    Number(env.find((one) => one.name === name)?.value ?? usual);
  const { storageClassName, resources } = claim === undefined ? {} : claimSpec(claim);
  return {
    schedule,
    timeZone: timeZone ?? usualSchedule.timeZone,
    keep: numberOf('KEEP', usualSchedule.keep),
    keepDays: numberOf('KEEP_DAYS', usualSchedule.keepDays),
    storage: resources?.requests.storage ?? usualSchedule.storage,
    ...(storageClassName === undefined ? {} : { storageClass: storageClassName }),
  };
}
