import { quantity } from '../../model/quantity.ts';
import { makeStep, type Step } from '../steps/index.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode, WorkloadFacts } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import type { Leaving } from './shrink.ts';
import { shrinkSteps } from './shrink.ts';
import { readyStep } from './grow.ts';

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
  const { name, replicas: from } = workload;
  const gone = `${dropped.map(nodeName).join(', ')} ${dropped.length === 1 ? 'is' : 'are'} removed; a pod that has rejoined the cluster by then leaves it first`;
  const uids = claims.flatMap((claim) => claimUids?.get(claim) ?? []);
  const meant = uids.length === claims.length ? { claims, uids } : { claims };
  return [
    ...shrinkSteps(snapshot, { ...going, dropped }),
    makeStep('setReplicas', { workload: name, from, pods }, String, gone),
    readyStep(name, pods),
    ...(volumes && claims.length > 0 ? [makeStep('deleteVolumes', meant, String)] : []),
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
