import { hasEnded } from '../model/endedPods.ts';
import { formatAddress, isKubernetesRef } from '../model/clusterRef.ts';
import { answers, unlistedNodes } from '../model/answering.ts';
import {
  canBeDeclaredFailed,
  goneMembers,
  isLastCopy,
  isOutOfTouch,
  isWithoutAddress,
  ordinalOf,
  podNameOf,
  type ScaledDown,
} from '../model/goneMembers.ts';
import { emptyParts, mayRunUnderAnotherId, partsWithData } from '../model/parts.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, PodFacts, RedisNode, WorkloadFacts } from '../model/snapshot.ts';
import { asSentence } from '../model/unread.ts';

/** What every container waits for while it starts. */
const passing: readonly string[] = ['ContainerCreating', 'PodInitializing'];

/** Whether a pod is on its way up, with nothing in its way. */
export function isStarting({ phase, ready, reason, deleting }: PodFacts): boolean {
  if (deleting || ready || phase === 'Succeeded' || phase === 'Failed') return false;
  return reason === undefined ? phase === 'Pending' : passing.includes(reason);
}

/** What starts an ended pod again, by who owns it. */
export function endedRemedy(snapshot: ClusterSnapshot, { name, workload }: PodFacts): string {
  switch (kindOf(snapshot, workload)) {
    case 'StatefulSet':
      return `“Replace Terminated Pods…” deletes pod ${name}, so that its StatefulSet starts it again; its volume is kept.`;
    case 'Other':
      return `“Replace Terminated Pods…” deletes pod ${name}; its owner ${workload} creates another one.`;
    default:
      return `Nothing owns pod ${name}, so nothing starts it again. Create it again from its manifest, with its volume.`;
  }
}

function kindOf({ workloads }: ClusterSnapshot, workload: string): WorkloadFacts['kind'] | undefined {
  return workloads.find(({ name }) => name === workload)?.kind;
}

/**
 * Members that went when a StatefulSet's replicas were lowered. Where their pods' names are not known, as many empty
 * servers in its pods speak for pods that lost their volumes and came back as new nodes instead.
 */
export function scaledBelow(snapshot: ClusterSnapshot): ScaledDown | undefined {
  const gone = goneMembers(snapshot);
  if (gone?.nodes.some(({ id }) => podNameOf(snapshot, id) !== undefined) !== false) return gone;
  const fresh = snapshot.nodes.filter(
    ({ role, slots, pod, view }) =>
      role === 'master' && slots.length === 0 && pod !== undefined && view !== undefined,
  );
  return fresh.length + snapshot.loosePods.length >= gone.nodes.length ? undefined : gone;
}

/** All that members list, whether or not they were found. */
export function memberCount({ nodes, unknownNodes }: ClusterSnapshot): number {
  return nodes.length + unknownNodes.filter(({ flags }) => !flags.includes('handshake')).length;
}

export function scaleBackRemedy({ workload, nodes }: ScaledDown, snapshot: ClusterSnapshot): string {
  const ordinals = nodes.flatMap(({ id }) => ordinalOf(podNameOf(snapshot, id) ?? '', workload.name) ?? []);
  const pods = Math.max(memberCount(snapshot), ...ordinals.map((ordinal) => ordinal + 1));
  return `“Scale…” to ${quantity(pods, 'pod')} starts the missing ones again with their volumes, which Kubernetes keeps unless the StatefulSet says otherwise.`;
}

/**
 * Members without slots that nobody found, while a StatefulSet has fewer pods than the cluster has members: it was
 * scaled down, or a server came back under another id. Only a person knows which where no pod names are announced.
 */
export function perhapsScaledDown(snapshot: ClusterSnapshot): string | undefined {
  const gone = scaledBelow(snapshot);
  if (gone !== undefined) return scaleBackRemedy(gone, snapshot);
  const [workload, ...others] = snapshot.workloads;
  const lost = snapshot.unknownNodes.filter(({ flags }) => !flags.includes('handshake'));
  if (workload?.kind !== 'StatefulSet' || lost.length === 0) return undefined;
  const isNamed = lost.some(({ id }) => podNameOf(snapshot, id) !== undefined);
  if (isNamed || (others.length === 0 && memberCount(snapshot) <= workload.replicas)) return undefined;
  const pods = quantity(memberCount(snapshot), 'pod');
  return others.length > 0
    ? 'If one of its StatefulSets was scaled down, scale that up again: its pods start with their volumes.'
    : `If StatefulSet ${workload.name} was scaled down, “Scale…” to ${pods} starts the missing ones again with their volumes.`;
}

/**
 * What brings a member that does not answer back, or may bring it back by itself: then nobody should forget it or give
 * its slots away. Undefined where nothing of that kind is known.
 */
export function wayBack(snapshot: ClusterSnapshot, node: RedisNode): string | undefined {
  if (node.pod !== undefined) return podWayBack(snapshot, node.pod);
  if (!isKubernetesRef(snapshot.ref)) return undefined;
  if (snapshot.apiProblem !== undefined) {
    return 'Wait until the Kubernetes API answers: whether its pod exists is unknown.';
  }
  const gone = scaledBelow(snapshot);
  if (gone?.nodes.some(({ id }) => id === node.id) === true) return scaleBackRemedy(gone, snapshot);
  return replacement(snapshot, podNameOf(snapshot, node.id));
}

function podWayBack(snapshot: ClusterSnapshot, pod: PodFacts): string {
  const { name, reason, reasonMessage } = pod;
  if (pod.deleting) {
    const isRecreated = kindOf(snapshot, pod.workload) === 'StatefulSet';
    return `Wait: pod ${name} is being deleted${isRecreated ? ', and its StatefulSet replaces it' : ''}.`;
  }
  if (hasEnded(pod)) return endedRemedy(snapshot, pod);
  if (isStarting(pod)) return `Wait: pod ${name} is starting.`;
  const why = reason === undefined ? [] : [asSentence(`Pod ${name}: ${reasonMessage ?? reason}`)];
  return [...why, `Look at the logs and events of pod ${name}.`].join(' ');
}

/**
 * A pod that is to be there and is not yet, or not yet read. Undefined where another node runs in the member's pod, and
 * where all pods are there: then nothing is on its way.
 */
export function replacement(snapshot: ClusterSnapshot, name: string | undefined): string | undefined {
  const { nodes, loosePods, workloads, unread } = snapshot;
  const silent = new Set(unread.flatMap(({ pod }) => pod?.uid ?? []));
  const coming = loosePods.filter((pod) => isStarting(pod) || pod.deleting || silent.has(pod.uid));
  if (name !== undefined) {
    if (coming.some((pod) => pod.name === name)) return `Wait: pod ${name} is being replaced.`;
    if ([...nodes.flatMap(({ pod }) => pod ?? []), ...loosePods].some((pod) => pod.name === name))
      return undefined;
    const isExpected = workloads.some((set) => (ordinalOf(name, set.name) ?? set.replicas) < set.replicas);
    return isExpected ? `Wait: pod ${name} is being replaced.` : undefined;
  }
  const seen = nodes.filter(({ pod }) => pod !== undefined).length + loosePods.length;
  const wanted = workloads.reduce((sum, { replicas }) => sum + replicas, 0);
  if (seen >= wanted && coming.length === 0) return undefined;
  const ready = workloads.reduce((sum, { readyReplicas }) => sum + readyReplicas, 0);
  return `Wait: ${workloads.map(({ name: set }) => set).join(', ')} is starting pods (${ready} of ${wanted} are ready).`;
}

/** Whether nothing that was seen could still hold slots that no master serves, so that they may be given away. */
export function isAllAccountedFor(snapshot: ClusterSnapshot): boolean {
  const { nodes, unread, loosePods, impostors, apiProblem } = snapshot;
  if (partsWithData(snapshot).length > 0 || impostors.length > 0 || apiProblem !== undefined) return false;
  if (unlistedNodes(snapshot).length > 0) return false;
  if (scaledBelow(snapshot) !== undefined || replacement(snapshot, undefined) !== undefined) return false;
  const empty = new Set(emptyParts(snapshot).flatMap((part) => part.nodes.map(({ pod }) => pod?.uid)));
  const members = new Set(nodes.flatMap((node) => [node.pod?.uid, formatAddress(node)]));
  return (
    loosePods.every(({ uid }) => empty.has(uid)) &&
    unread.every(({ pod, address }) => members.has(pod?.uid ?? address)) &&
    nodes.every(({ id, health }) => health !== 'unreachable' || !canBeDeclaredFailed(snapshot, id))
  );
}

/** For a server that may run where other nodes cannot find it: they have lost its address. Undefined where that is not so. */
export function addressRemedy(snapshot: ClusterSnapshot, id: string): string | undefined {
  if (!isWithoutAddress(snapshot, id)) return undefined;
  return isKubernetesRef(snapshot.ref)
    ? 'If its server runs outside these pods, make it reachable: other nodes cannot find it without its address.'
    : 'If its server runs, add the cluster again with “Add Cluster by Address…” and its address too: “Heal Cluster…” then makes it known to the others.';
}

/** For a replica whose keys may be nowhere else. */
export const lastCopyRemedy =
  'Start its server again with its data: it may have the last copy of the slots of its master, which does not answer either.';

/**
 * Whether “Forget Node…” would take this member out: it serves nothing, has no replicas, and no node is in touch with it.
 */
export function isForgettable(snapshot: ClusterSnapshot, id: string): boolean {
  if (mayRunUnderAnotherId(snapshot)) return false;
  const node = snapshot.nodes.find((one) => one.id === id);
  if (answers(node) || (node?.slots.length ?? 0) > 0 || isLastCopy(snapshot, id)) return false;
  return !snapshot.nodes.some(({ masterId }) => masterId === id) && isOutOfTouch(snapshot, id);
}

/** Names with what each copy holds, for whoever decides which of them takes over. */
export function copiesText(nodes: readonly RedisNode[]): string {
  return nodes.map((node) => `${nodeName(node)} (${quantity(node.view?.keys ?? 0, 'key')})`).join(', ');
}
