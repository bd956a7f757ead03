import type { Event, Pod } from '../../kubernetes/apiObjects.ts';
import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { messageOf } from '../../model/errors.ts';
import type { PodFacts } from '../../model/snapshot.ts';

/** Milliseconds a reason may last before it counts as one that does not pass; 0 for those that come after several tries. */
const patience: Readonly<Record<string, number>> = {
  ImagePullBackOff: 0,
  InvalidImageName: 0,
  ErrImageNeverPull: 0,
  ErrImagePull: 20_000,
  CrashLoopBackOff: 0,
  CreateContainerConfigError: 5_000,
  CreateContainerError: 10_000,
  RunContainerError: 10_000,
  // A pod is called so as well while its volume is still being made, which takes a cloud half a minute.
  Unschedulable: 60_000,
};

/** Restarts from which a crash counts as one that will come again: the first ones may come of a slow start. */
const crashes = 2;
const logLines = 5;
const logLimit = 3_000;

/** Why a container that is started for the first time is not running yet. */
const startingReasons: readonly string[] = ['ContainerCreating', 'PodInitializing'];

/** Whether a pod has a worker, and none of its containers has ended or failed to start. */
export function isStarting(status: Pod['status']): boolean {
  const { conditions = [], initContainerStatuses = [], containerStatuses = [] } = status ?? {};
  const isScheduled = conditions.some((one) => one.type === 'PodScheduled' && one.status === 'True');
  return (
    isScheduled &&
    [...initContainerStatuses, ...containerStatuses].every(({ restartCount, state }) => {
      const { reason } = state?.waiting ?? {};
      return restartCount === 0 && (reason === undefined || startingReasons.includes(reason));
    })
  );
}

/** Watches pods over time for what does not get well by waiting. */
export interface TroubleWatch {
  /** Why a pod cannot start, in words, or undefined while there is hope. */
  look(pods: readonly PodFacts[]): Promise<string | undefined>;
}

export function watchTrouble(access: KubernetesAccess, namespace: string, now: () => number): TroubleWatch {
  const since = new Map<string, number>();
  return {
    look: async (pods) => {
      const current = new Set(pods.map(keyOf));
      for (const key of since.keys()) if (!current.has(key)) since.delete(key);
      for (const pod of pods) {
        const limit = patience[pod.reason ?? ''];
        if (limit === undefined || pod.deleting) continue;
        const key = keyOf(pod);
        const first = since.get(key) ?? now();
        since.set(key, first);
        if (now() - first < limit) continue;
        if (pod.reason === 'CrashLoopBackOff' && pod.restarts < crashes) continue;
        return await describeTrouble(access, namespace, pod);
      }
      return undefined;
    },
  };
}

function keyOf(pod: PodFacts): string {
  return `${pod.uid}/${pod.reason ?? ''}`;
}

async function describeTrouble(access: KubernetesAccess, namespace: string, pod: PodFacts): Promise<string> {
  const { reason = '', reasonMessage = '' } = pod;
  const said = reasonMessage === '' ? '' : ` ${reasonMessage.replace(/(?<![.!?])$/, '.')}`;
  switch (reason) {
    case 'Unschedulable':
      return `Pod ${pod.name} cannot be scheduled on any Kubernetes node (${reason}):${said}${await claimTrouble(access, namespace, pod.name)}`;
    case 'CrashLoopBackOff':
      return `Pod ${pod.name} keeps crashing:${said}${await lastLog(access, namespace, pod)}`;
    case 'ImagePullBackOff':
    case 'ErrImagePull':
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return `Pod ${pod.name} cannot pull its image ${pod.image} (${reason}):${said}`;
    default:
      return `Pod ${pod.name} cannot start (${reason}):${said}`;
  }
}

async function lastLog(access: KubernetesAccess, namespace: string, pod: PodFacts): Promise<string> {
  let text = '';
  const add = (more: string): void => {
    text += more;
  };
  const options = { tailLines: logLines, previous: true };
  try {
    await access.logs(namespace, pod.name, pod.container, options, add, AbortSignal.timeout(logLimit));
  } catch (error) {
    return ` Its log cannot be read: ${messageOf(error)}`;
  }
  return text.trim() === '' ? ' Its log is empty.' : ` Its last log lines: ${text.trim()}`;
}

async function warnings(
  access: KubernetesAccess,
  namespace: string,
  concerns: (event: Event) => boolean,
): Promise<string | undefined> {
  let events: readonly KubernetesObject[];
  try {
    events = await access.list('v1', 'Event', namespace);
  } catch {
    // Events only explain: whoever may not read them gets the failure without its reason.
    return undefined;
  }
  const found = events.map((event) => event as KubernetesObject & Event).filter(concerns);
  return found.at(-1)?.message;
}

async function claimTrouble(access: KubernetesAccess, namespace: string, pod: string): Promise<string> {
  const message = await warnings(
    access,
    namespace,
    ({ type, involvedObject }) =>
      type === 'Warning' &&
      involvedObject.kind === 'PersistentVolumeClaim' &&
      involvedObject.name?.endsWith(`-${pod}`) === true,
  );
  return message === undefined ? '' : ` Its volume: ${message}`;
}

/** Why a StatefulSet could not make a pod at all: quota, Pod Security, an admission webhook. */
export async function creationTrouble(
  access: KubernetesAccess,
  namespace: string,
  statefulSet: string,
  uid: string | undefined,
): Promise<string | undefined> {
  const message = await warnings(
    access,
    namespace,
    ({ reason, involvedObject }) =>
      reason === 'FailedCreate' &&
      involvedObject.kind === 'StatefulSet' &&
      involvedObject.name === statefulSet &&
      (uid === undefined || involvedObject.uid === uid),
  );
  return message === undefined ? undefined : `StatefulSet ${statefulSet} cannot create its pods: ${message}`;
}
