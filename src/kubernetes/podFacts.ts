import { quantity } from '../model/quantity.ts';
import { serverText } from '../model/serverText.ts';
import type { PodFacts } from '../model/snapshot.ts';
import type { ContainerStatus, Pod } from './apiObjects.ts';
import type { RedisContainer } from './redisContainer.ts';
import { storageOf } from './storage.ts';

export function podFacts(pod: Pod, { container, port }: RedisContainer, workload: string): PodFacts {
  const own = pod.status?.containerStatuses?.find((one) => one.name === container.name);
  return {
    ...identity(pod),
    ...whereabouts(pod),
    phase: pod.status?.phase ?? 'Unknown',
    ready: pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
    ...stateOf(own),
    storage: storageOf(pod.spec, container),
    container: container.name,
    image: container.image ?? '',
    port,
    workload,
    ...trouble(pod),
  };
}

function stateOf(
  own: ContainerStatus | undefined,
): Pick<PodFacts, 'restarts' | 'running' | 'runningSince' | 'ended'> {
  const startedAt = own?.state?.running?.startedAt;
  return {
    restarts: own?.restartCount ?? 0,
    ...(own?.state?.running === undefined ? {} : { running: true }),
    ...(startedAt === undefined ? {} : { runningSince: new Date(startedAt).getTime() }),
    ...(hasEnded(own) ? { ended: true } : {}),
  };
}

/** Terminated, or waiting to be started once more after it terminated. */
function hasEnded(own: ContainerStatus | undefined): boolean {
  if (own?.state?.terminated !== undefined) return true;
  return own?.state?.waiting !== undefined && own.lastState?.terminated !== undefined;
}

function identity({ metadata }: Pod): Pick<PodFacts, 'name' | 'namespace' | 'uid' | 'deleting'> {
  return {
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    uid: metadata?.uid ?? '',
    deleting: metadata?.deletionTimestamp !== undefined,
  };
}

function whereabouts({ spec, status }: Pod): Pick<PodFacts, 'ip' | 'worker'> {
  return {
    ...(status?.podIP === undefined ? {} : { ip: status.podIP }),
    ...(spec?.nodeName === undefined ? {} : { worker: spec.nodeName }),
  };
}

type Trouble = Pick<PodFacts, 'reason' | 'reasonMessage'>;

/** Why the pod does not run: its own failure, then the scheduler's refusal, then what a container waits for. */
function trouble(pod: Pod): Trouble {
  const { status } = pod;
  if (status?.reason !== undefined) return because(status.reason, status.message);
  const unscheduled = status?.conditions?.find(
    (one) => one.type === 'PodScheduled' && one.status === 'False',
  );
  if (unscheduled !== undefined) return because(unscheduled.reason ?? 'Unschedulable', unscheduled.message);
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const found = containers.map(containerTrouble).filter((one) => one.reason !== undefined);
  return found.find(({ reason }) => !isPassing(reason)) ?? found[0] ?? endOf(pod);
}

/** A pod in such a phase is never started again, though none of its containers failed. */
function endOf({ status }: Pod): Trouble {
  if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') return {};
  return because(
    'Ended',
    `All containers of the pod have terminated, and it is not restarted (phase ${status.phase}).`,
  );
}

/** What every pod waits for while it starts; a real obstacle of another container is worth more. */
function isPassing(reason: string | undefined): boolean {
  return reason === 'ContainerCreating' || reason === 'PodInitializing';
}

function containerTrouble({ name, state, lastState, restartCount }: ContainerStatus): Trouble {
  const waiting = state?.waiting;
  if (waiting?.reason !== undefined) {
    const last = waiting.reason === 'CrashLoopBackOff' ? lastState?.terminated : undefined;
    const end =
      last === undefined ? '' : ` It last ended with exit code ${last.exitCode} (${last.reason ?? 'Error'}).`;
    return because(waiting.reason, `Container ${name}: ${waiting.message ?? waiting.reason}.${end}`);
  }
  const ended = state?.terminated;
  if (ended === undefined || ended.exitCode === 0) return {};
  const message = `Container ${name} ended with exit code ${ended.exitCode} after ${quantity(restartCount, 'restart')}. ${ended.message ?? ''}`;
  return because(ended.reason ?? 'Error', message.trim());
}

function because(reason: string, message: string | undefined): Trouble {
  const shown = { reason: serverText(reason) };
  return message === undefined ? shown : { ...shown, reasonMessage: serverText(message) };
}
