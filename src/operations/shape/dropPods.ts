import { quantity } from '../../model/quantity.ts';
import type { Step } from '../../model/plan.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode, WorkloadFacts } from '../../model/snapshot.ts';
import { refusal } from '../nodes.ts';
import type { Leaving } from './shrink.ts';
import { shrinkSteps } from './shrink.ts';

export interface DropFacts {
  /** Names of the StatefulSet's volume claim templates: a pod's volume is called `<template>-<pod>`. */
  readonly claimTemplates?: readonly string[];
  /** The uids of the namespace's volumes by their names; absent where none is to be deleted. */
  readonly claimUids?: ReadonlyMap<string, string>;
}

/**
 * Steps that take spare nodes out of a StatefulSet's cluster. It can only drop its highest ordinals, so what these
 * serve goes to others first, and `spec.replicas` is lowered last: doing that first is how data are lost.
 */
export function dropPods(
  snapshot: ClusterSnapshot,
  workload: WorkloadFacts,
  going: Pick<Leaving, 'drained' | 'spare'>,
  volumes: boolean,
  { claimTemplates = [], claimUids }: DropFacts,
): readonly Step[] {
  const pods = workload.replicas - going.spare.length;
  const dropped = snapshot.nodes.filter((node) => ordinalOf(node, workload.name) >= pods);
  const loose = snapshot.loosePods.filter((pod) => pod.workload === workload.name);
  if (loose.length > 0 || dropped.length !== going.spare.length) {
    const names = loose.map(({ name }) => name).join(', ');
    throw refusal(
      'unsafe',
      `Not every pod of StatefulSet ${workload.name} holds a member of the cluster${names === '' ? '' : ` (${names})`}. Fix this first; “Check Cluster” says how.`,
    );
  }
  const claims = dropped.flatMap(({ pod }) =>
    claimTemplates.map((template) => `${template}-${pod?.name ?? ''}`),
  );
  const shrink: Step = {
    kind: 'setReplicas',
    workload: workload.name,
    from: workload.replicas,
    pods,
    text: `Set the replicas of StatefulSet ${workload.name} from ${workload.replicas} to ${pods}: ${dropped.map(nodeName).join(', ')} ${dropped.length === 1 ? 'is' : 'are'} removed. A pod that has rejoined the cluster by then leaves it first`,
  };
  const wait: Step = {
    kind: 'waitForPods',
    workload: workload.name,
    pods,
    text: `Wait for ${quantity(pods, 'pod')} to be ready`,
  };
  const uids = claims.flatMap((claim) => claimUids?.get(claim) ?? []);
  const forVolumes: Step = {
    kind: 'deleteVolumes',
    claims,
    ...(uids.length === claims.length ? { uids } : {}),
    text: `Delete the volumes ${claims.join(', ')}`,
  };
  return [
    ...shrinkSteps(snapshot, { ...going, dropped }),
    shrink,
    wait,
    ...(volumes && claims.length > 0 ? [forVolumes] : []),
  ];
}

/** What is said of volumes before the typed word, or of those that stay. */
export function volumeTexts(
  volumes: boolean,
  { claimTemplates = [] }: DropFacts,
  pods: number,
): {
  readonly warnings: readonly string[];
  readonly losses: readonly string[];
} {
  if (claimTemplates.length === 0) return { warnings: [], losses: [] };
  const what = quantity(claimTemplates.length * pods, 'volume');
  return volumes
    ? {
        warnings: [],
        losses: [
          `${what} of the removed pods ${claimTemplates.length * pods === 1 ? 'is' : 'are'} permanently deleted. By then, other nodes hold their keys.`,
        ],
      }
    : {
        warnings: [
          `${what} of the removed pods ${claimTemplates.length * pods === 1 ? 'is kept and still incurs' : 'are kept and still incur'} storage cost.`,
        ],
        losses: [],
      };
}

function ordinalOf({ pod }: RedisNode, workload: string): number {
  const ordinal = pod?.workload === workload ? pod.name.slice(workload.length + 1) : '';
  return /^\d+$/.test(ordinal) ? Number(ordinal) : -1;
}
