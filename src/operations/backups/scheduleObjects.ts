import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { placed } from '../manifests/render.ts';
import { readKustomization } from '../manifests/kustomize.ts';
import { claimSpec, cronJobSpec, type PodSpec, type Schedule, type Variable } from './schedule.ts';

/** Where the pod of a backup finds the servers, and how it signs in. Never a password itself. */
export interface BackupTarget {
  readonly image: string;
  /** A Service that leads to the servers, and its port. */
  readonly seed: string;
  readonly port: number;
  /** Variables that say whom to sign in as: by reference where it is a secret. */
  readonly signIn: readonly Variable[];
  /** What a projected volume takes for `ca.crt`, `tls.crt` and `tls.key`; absent where the servers do not speak TLS. */
  readonly certificates?: readonly unknown[];
  /** What the NetworkPolicy lets the pod reach beside names. */
  readonly egress: unknown;
  readonly pullSecrets?: readonly unknown[];
}

const signInVariables = ['REDISCLI_AUTH', 'PREVIOUS_PASSWORD', 'USERNAME'];

/** The name of all of a schedule's objects. */
export function backupName(cluster: string): string {
  return `${cluster}-backup`;
}

/** The component's own objects as they are named for a cluster, changed field by field to fit. */
export function scheduleObjects(
  files: ReadonlyMap<string, string>,
  place: { readonly name: string; readonly namespace: string },
  schedule: Schedule,
  target: BackupTarget,
): readonly KubernetesObject[] {
  return componentObjects(files, place).map((object) => {
    if (object.kind === 'PersistentVolumeClaim') return claim(object, schedule);
    if (object.kind === 'CronJob') return cronJob(object, schedule, target);
    if (object.kind === 'NetworkPolicy') return networkPolicy(object, target);
    return object;
  });
}

/** The objects with their names, for looking whether they are there. */
export function componentObjects(
  files: ReadonlyMap<string, string>,
  place: { readonly name: string; readonly namespace: string },
): readonly KubernetesObject[] {
  return readKustomization(files, 'components/backup').map((object) => placed(object, place));
}

function claim(object: KubernetesObject, { storage, storageClass }: Schedule): KubernetesObject {
  const spec = claimSpec(object);
  return {
    ...object,
    spec: {
      ...spec,
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      resources: { ...spec.resources, requests: { ...spec.resources.requests, storage } },
    },
  };
}

function cronJob(object: KubernetesObject, schedule: Schedule, target: BackupTarget): KubernetesObject {
  const spec = cronJobSpec(object);
  const { jobTemplate } = spec;
  const { template } = jobTemplate.spec;
  return {
    ...object,
    spec: {
      ...spec,
      ...{ schedule: schedule.schedule, timeZone: schedule.timeZone },
      jobTemplate: {
        ...jobTemplate,
        spec: {
          ...jobTemplate.spec,
          template: { ...template, spec: podSpec(template.spec, schedule, target) },
        },
      },
    },
  };
}

function podSpec(spec: PodSpec, { keep, keepDays }: Schedule, target: BackupTarget): PodSpec {
  const given: Readonly<Record<string, string>> = {
    ...{ SEED: target.seed, PORT: String(target.port), KEEP: String(keep), KEEP_DAYS: String(keepDays) },
  };
  const { certificates, pullSecrets } = target;
  const hasVolume = ({ name }: { readonly name: string }): boolean =>
    name !== 'tls' || certificates !== undefined;
  return {
    ...spec,
    ...(pullSecrets === undefined ? {} : { imagePullSecrets: pullSecrets }),
    containers: spec.containers.map((container) =>
      container.name !== 'backup'
        ? container
        : {
            ...container,
            image: target.image,
            env: [
              ...(container.env ?? [])
                .filter(({ name }) => !signInVariables.includes(name))
                .map((one) => ({
                  ...one,
                  ...(given[one.name] === undefined ? {} : { value: given[one.name] ?? '' }),
                })),
              ...target.signIn,
            ],
            volumeMounts: (container.volumeMounts ?? []).filter(hasVolume),
          },
    ),
    volumes: (spec.volumes ?? [])
      .filter(hasVolume)
      // 0440, in decimals.
      .map((one) =>
        one.name === 'tls' ? { name: 'tls', projected: { defaultMode: 288, sources: certificates } } : one,
      ),
  };
}

interface PolicySpec {
  readonly egress: readonly { readonly to?: unknown }[];
}

function networkPolicy(object: KubernetesObject, { egress }: BackupTarget): KubernetesObject {
  const spec = object['spec'] as PolicySpec;
  // The rule with a destination is the one for the servers.
  const rules = spec.egress.map((rule) => (rule.to === undefined ? rule : egress));
  return { ...object, spec: { ...spec, egress: rules } };
}
