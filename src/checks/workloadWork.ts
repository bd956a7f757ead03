import { ordinalOf } from '../model/goneMembers.ts';
import { podsOf } from '../model/endedPods.ts';
import { quantity } from '../model/quantity.ts';
import type { ClusterSnapshot, RunningWork, WorkloadFacts } from '../model/snapshot.ts';

/** Replicas are connected again this long after their master's pod is ready. */
const recentSeconds = 30;

/**
 * Work that Kubernetes itself does: a StatefulSet that replaces or starts its pods, whoever changed it. No way of
 * finding faults: a pod that failed is started again as well, which explains nothing but that it is not there yet.
 */
export function workloadWork(snapshot: ClusterSnapshot): readonly RunningWork[] {
  return snapshot.workloads.flatMap((workload): readonly RunningWork[] => {
    const { kind, name, replicas, readyReplicas, rollout } = workload;
    const what = kind === 'StatefulSet' ? `StatefulSet ${name}` : name;
    if (rollout !== undefined) {
      const title = `${what} is rolling out: ${rollout.updated} of ${quantity(rollout.of, 'pod')} updated`;
      return [{ title, operation: 'rollout' }];
    }
    const [replaced] = deletedPods(snapshot, workload);
    if (replaced !== undefined) {
      return [{ title: `${what} is replacing pod ${replaced}`, operation: 'podsStarting' }];
    }
    if (readyReplicas >= replicas) {
      const title = `${what} starts pods`;
      return isRecent(snapshot, name) ? [{ title, operation: 'podsStarting', ended: true }] : [];
    }
    const title = `${what} is starting pods: ${readyReplicas} of ${replicas} are ready`;
    return [{ title, operation: 'podsStarting' }];
  });
}

/** Pods that somebody deleted and that the StatefulSet creates again. */
function deletedPods(snapshot: ClusterSnapshot, { kind, name, replicas }: WorkloadFacts): readonly string[] {
  if (kind !== 'StatefulSet') return [];
  return podsOf(snapshot).flatMap((pod) => {
    const isReplaced = pod.deleting && pod.workload === name && (ordinalOf(pod.name, name) ?? 0) < replicas;
    return isReplaced ? [pod.name] : [];
  });
}

function isRecent({ nodes }: ClusterSnapshot, name: string): boolean {
  return nodes.some(
    ({ pod, view }) => pod?.workload === name && view !== undefined && view.uptimeSeconds < recentSeconds,
  );
}

/** `1 operation is running: Reshard 9 slots (by ann on ci-3).` */
export function runningSentence(running: readonly RunningWork[]): string {
  const names = running.map(({ title, holder }) =>
    holder === undefined ? title : `${title} (by ${holder})`,
  );
  const verb = running.length === 1 ? 'is' : 'are';
  return `${quantity(running.length, 'operation')} ${verb} running: ${names.join('; ')}.`;
}
