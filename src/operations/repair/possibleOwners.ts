import { formatAddress } from '../../model/clusterRef.ts';
import { quantity } from '../../model/quantity.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, PodFacts } from '../../model/snapshot.ts';
import { unlistedNodes } from '../../model/answering.ts';
import { answers, refusal } from '../servers/nodes.ts';
import { isLost, staysUndeclared, mayOwnSlots, undeclaredText, unknownMembers } from './lost.ts';
import { goneMembers } from '../../model/goneMembers.ts';
import type { PodVolumes } from '../statefulSets/scaledDown.ts';

/** What a server says that runs in a pod of the cluster's workload and is no member. */
export interface LooseServer {
  readonly keys: number;
  readonly slots: number;
}

/** What is asked, beside the members, of whatever may hold the slots. */
export interface PossibleOwnerFacts {
  /** By pod name: what the loose pods' servers say; a pod that is absent could not be asked. */
  readonly loose: ReadonlyMap<string, LooseServer>;
  /** Volumes of pods above the StatefulSet's replicas; undefined where they could not be listed. */
  readonly volumes: readonly PodVolumes[] | undefined;
}

/** Nothing beside the members was found that could hold a slot. */
export const nothingElse: PossibleOwnerFacts = { loose: new Map(), volumes: [] };

/**
 * Throws a UserError where a server that is no part of the plan holds the slots or may hold them: a slot given to
 * another master then would be served twice, and the keys of one side would be lost when both meet.
 * @param dead ids of nodes that a person says are dead
 */
export function refusePossibleOwners(
  snapshot: ClusterSnapshot,
  facts: PossibleOwnerFacts,
  dead: readonly string[] = [],
): void {
  const others = [
    ...apart(snapshot),
    ...silentMembers(snapshot, dead),
    ...unknownNodeTexts(snapshot, dead),
    ...unreadServers(snapshot),
    ...loosePods(snapshot, facts),
    ...missingPods(snapshot),
    ...scaledDown(snapshot, facts),
    ...impostors(snapshot),
  ];
  if (others.length === 0) return;
  const first = others.slice(0, 4);
  const more = others.length > 4 ? [`${quantity(others.length - 4, 'more server')} like these.`] : [];
  throw refusal(
    'unsafe',
    `Other servers hold, or may hold, the slots that no master serves. ${[...first, ...more].join(' ')} If these slots were assigned to another master now, they would be served twice and keys would be lost.`,
  );
}

/** Members that answer and that another member does not list: they are not one cluster. */
function apart(snapshot: ClusterSnapshot): readonly string[] {
  const unlisted = unlistedNodes(snapshot);
  if (unlisted.length === 0) return [];
  const answering = snapshot.nodes.filter((node) => answers(node));
  if (answering.every(({ slots, view }) => slots.length === 0 && view.keys === 0)) {
    return [
      `${listed(unlisted.map(nodeName))} do not know each other and are empty: no cluster has been formed yet.`,
    ];
  }
  const texts = unlisted.map((node) => `${nodeName(node)} (${quantity(node.view.keys, 'key')})`);
  return [`Not all others list ${listed(texts)}: the cluster is split.`];
}

/** A member that peers have not declared failed may serve slots that nobody here has heard of. */
function silentMembers(snapshot: ClusterSnapshot, dead: readonly string[]): readonly string[] {
  return snapshot.nodes
    .filter((node) => node.health === 'unreachable' && !isLost(snapshot, node, dead))
    .filter((node) => mayOwnSlots(snapshot, node))
    .map((node) =>
      staysUndeclared(snapshot, node)
        ? `${nodeName(node)}: ${undeclaredText(snapshot, node.id)}`
        : `${nodeName(node)} does not answer from this machine, but its peers have not declared it failed. Wait for cluster-node-timeout, or make it reachable.`,
    );
}

/** A node that is listed and was not found may serve the slots that nobody else claims, or have those of its master. */
function unknownNodeTexts(snapshot: ClusterSnapshot, dead: readonly string[]): readonly string[] {
  return unknownMembers(snapshot)
    .filter((node) => mayOwnSlots(snapshot, node) && !isLost(snapshot, node, dead))
    .map((node) =>
      staysUndeclared(snapshot, node)
        ? `Node ${nodeName(node)}: ${undeclaredText(snapshot, node.id)}`
        : `Node ${nodeName(node)} was not found, and its peers have not declared it failed. Wait for cluster-node-timeout, or make it reachable.`,
    );
}

function unreadServers({ nodes, unread }: ClusterSnapshot): readonly string[] {
  const members = new Set(nodes.flatMap((node) => [node.pod?.uid, formatAddress(node)]));
  return unread
    .filter(({ pod, address }) => !members.has(pod?.uid ?? address))
    .map(
      ({ pod, address, failure }) =>
        `${pod?.name ?? address ?? 'A server'} could not be read: ${failure.message.replace(/\.$/, '')}.`,
    );
}

function loosePods(
  { loosePods: pods, unread }: ClusterSnapshot,
  { loose }: PossibleOwnerFacts,
): readonly string[] {
  return pods.flatMap((pod) => {
    if (unread.some((other) => other.pod?.uid === pod.uid)) return [];
    const server = loose.get(pod.name);
    if (server === undefined)
      return [`Pod ${pod.name} is not in the cluster and could not be read (${stateOf(pod)}).`];
    if (server.keys === 0 && server.slots === 0) return [];
    return [
      `Pod ${pod.name} is not in the cluster and holds ${quantity(server.keys, 'key')} and ${quantity(server.slots, 'slot')}.`,
    ];
  });
}

function stateOf({ phase, reason }: PodFacts): string {
  return reason ?? phase;
}

/** Pods that a StatefulSet is to have and that were not seen, such as while it starts one after another. */
function missingPods({
  nodes,
  loosePods: loose,
  otherParts,
  unread,
  workloads,
}: ClusterSnapshot): readonly string[] {
  const pods = [
    ...nodes.flatMap(({ pod }) => pod ?? []),
    ...loose,
    ...otherParts.flatMap((part) => part.nodes.flatMap(({ pod }) => pod ?? [])),
    ...unread.flatMap(({ pod }) => pod ?? []),
  ];
  const names = new Set(pods.map(({ name }) => name));
  return workloads
    .filter(({ kind }) => kind === 'StatefulSet')
    .flatMap(({ name, replicas }) => {
      const all = Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`);
      const missing = all.filter((pod) => !names.has(pod));
      if (missing.length === 0 || pods.length === 0) return [];
      return [
        `${listed(missing)} of StatefulSet ${name} ${missing.length === 1 ? 'is' : 'are'} not among the pods that were read.`,
      ];
    });
}

function scaledDown(snapshot: ClusterSnapshot, { volumes }: PossibleOwnerFacts): readonly string[] {
  const gone = goneMembers(snapshot);
  if (gone === undefined) return [];
  const { workload } = gone;
  const below = `StatefulSet ${workload.name} is scaled to ${quantity(workload.replicas, 'pod')}, fewer than the cluster has members`;
  if (volumes === undefined) {
    return [
      `${below}. Its volumes may hold their keys, but you are not allowed to list persistentvolumeclaims.`,
    ];
  }
  const kept = volumes.filter(({ claims }) => claims.length > 0);
  if (kept.length === 0) return [];
  const most = Math.max(...kept.map(({ ordinal }) => ordinal)) + 1;
  return [
    `${below}; the volumes of ${listed(kept.map(({ pod }) => pod))} are kept: “Scale…” to ${quantity(most, 'pod')} brings them back. If you do not need them, delete the volumes first.`,
  ];
}

function impostors({ impostors: those, nodes, unknownNodes }: ClusterSnapshot): readonly string[] {
  return those
    .filter(({ listedId }) => {
      const node = nodes.find(({ id }) => id === listedId);
      const line = unknownNodes.find(({ id }) => id === listedId);
      return node?.health !== 'failed' && line?.flags.includes('fail') !== true;
    })
    .map(
      ({ address, listedId, answeringId }) =>
        `Node ${answeringId.slice(0, 8)} answers at ${address} instead of ${listedId.slice(0, 8)}, which its peers have not declared failed.`,
    );
}

function listed(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
}
