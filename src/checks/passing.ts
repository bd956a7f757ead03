import type { Finding } from '../model/finding.ts';
import { hasEnded } from '../model/endedPods.ts';
import { ordinalOf, podNameOf } from '../model/goneMembers.ts';
import { emptyParts } from '../model/parts.ts';
import { countSlots, subtractSlots, unionSlots } from '../model/slots.ts';
import type { ClusterSnapshot, PodFacts, RedisNode, RunningWork } from '../model/snapshot.ts';
import { isRunning } from '../model/unread.ts';
import { isStarting, replacement } from './wayBack.ts';

/** Whether work explains a finding that was there for so many milliseconds: for these nodes, and for this long. */
export type Expects = (
  finding: Finding,
  snapshot: ClusterSnapshot,
  ageMs: number,
  work: RunningWork,
) => boolean;

/** How long what work does may be seen; what lasts longer is a fault, whatever runs. Milliseconds. */
export const limitsMs = {
  /** Servers are not read at the same moment; another reading sees both ends of what was handed over. */
  handoverMs: 10_000,
  /** Gossip takes up to a cluster-node-timeout, by default 15 s. */
  spreadMs: 30_000,
  /** A replica is elected within two cluster-node-timeouts. */
  failoverMs: 40_000,
  /** A server that is started or stopped, a link that is made again. */
  readMs: 60_000,
  /** A pod that is deleted may take its grace period, and a volume some time to be made. */
  podMs: 120_000,
} as const;
/** A server that runs for less than this has just started, and hears of its cluster by and by. */
const youngSeconds = 60;
/** Pods of a cluster that forms start one after the other. */
const formingSeconds = 600;
/** What the scheduler says of a pod whose volume is being made. */
const waitsForVolume = 'unbound immediate PersistentVolumeClaims';

export function within(ms: number, expects: Expects): Expects {
  return (finding, snapshot, ageMs, work) => ageMs <= ms && expects(finding, snapshot, ageMs, work);
}

export function always(): boolean {
  return true;
}

/** What an interrupted move left open elsewhere stays a fault while other slots move. */
export function isOpenedByIt(
  { slots = [] }: Finding,
  _: ClusterSnapshot,
  _ageMs: number,
  work: RunningWork,
): boolean {
  return work.slots === undefined || subtractSlots(slots, work.slots).length === 0;
}

/** Where nothing at all was read, no work explains it. */
export function isPartOnly({ severity }: Finding): boolean {
  return severity !== 'error';
}

function nodesOf({ nodeIds }: Finding, { nodes }: Pick<ClusterSnapshot, 'nodes'>): readonly RedisNode[] {
  return nodes.filter(({ id }) => nodeIds.includes(id));
}

/** The members that do not answer where it is a single one; undefined where it is none or more. */
function onlyOneAway({
  nodes,
  unknownNodes,
}: ClusterSnapshot): Pick<RedisNode, 'id' | 'pod' | 'slots'> | undefined {
  const away = nodes.filter(({ view }) => view === undefined);
  const gone = unknownNodes.filter(({ flags }) => !flags.includes('handshake'));
  const [first, ...more] = [...away, ...gone];
  return more.length === 0 ? first : undefined;
}

/** A master may be away for as long as a failover takes, and only where a replica of it answers. */
function isTakenOver(
  { id, slots }: Pick<RedisNode, 'id' | 'slots'>,
  { nodes }: ClusterSnapshot,
  ageMs: number,
): boolean {
  if (slots.length === 0) return true;
  return (
    ageMs <= limitsMs.failoverMs && nodes.some(({ masterId, view }) => masterId === id && view !== undefined)
  );
}

/** One at a time is restarted, and only while what it served has a replica that can take over. */
export function isTheOnlyOneAway(_: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  const node = onlyOneAway(snapshot);
  if (node === undefined || !isTakenOver(node, snapshot, ageMs)) return false;
  if (node.pod !== undefined) return isPodPassing(node.pod, ageMs);
  return ageMs <= limitsMs.readMs || snapshot.loosePods.some(isStarting);
}

/** A pod that is replaced is deleted or ends, waits for its volume and containers, and then for its server. */
function isPodPassing(pod: PodFacts, ageMs: number): boolean {
  if (pod.deleting) return ageMs <= limitsMs.podMs;
  // A StatefulSet replaces it at once; one that stays is a fault.
  if (hasEnded(pod)) return pod.phase === 'Succeeded' && ageMs <= limitsMs.spreadMs;
  if (isStarting(pod)) return true;
  if (isWithoutVolume(pod)) return ageMs <= limitsMs.podMs;
  return pod.reason === undefined && ageMs <= limitsMs.readMs;
}

function isWithoutVolume({ reason, reasonMessage = '' }: PodFacts): boolean {
  return reason === 'Unschedulable' && reasonMessage.includes(waitsForVolume);
}

/** One pod that was deleted, and nothing that failed: Kubernetes says so of the pod, or of the one in its place. */
export function isReplaced(_: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  const node = onlyOneAway(snapshot);
  return node !== undefined && isTakenOver(node, snapshot, ageMs) && isPodReplaced(node, snapshot, ageMs);
}

function isPodReplaced(
  { id, pod }: Pick<RedisNode, 'id' | 'pod'>,
  snapshot: ClusterSnapshot,
  ageMs: number,
): boolean {
  if (pod === undefined) {
    return ageMs <= limitsMs.readMs && replacement(snapshot, podNameOf(snapshot, id)) !== undefined;
  }
  // A pod whose server started a moment ago for the first time is not one whose server failed.
  const ranMs = snapshot.takenAt - (pod.runningSince ?? Number.NEGATIVE_INFINITY);
  const isFirstStart = pod.restarts === 0 && ranMs <= limitsMs.spreadMs;
  const isStopped = pod.deleting || hasEnded(pod) || isStarting(pod) || isWithoutVolume(pod);
  return (isStopped || isFirstStart) && isPodPassing(pod, ageMs);
}

/** A replica whose pod is replaced; or roles turn, and for a moment no replica follows the new master. */
export function isReplicaReplaced(finding: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  const { nodes, unknownNodes } = snapshot;
  const replicas = [...nodes, ...unknownNodes].filter(({ masterId }) =>
    finding.nodeIds.includes(masterId ?? ''),
  );
  if (replicas.length > 0 && isReplaced(finding, snapshot, ageMs)) {
    return replicas.every(({ id }) => id === onlyOneAway(snapshot)?.id);
  }
  return ageMs <= limitsMs.handoverMs && isReplicaAway(finding, snapshot, ageMs);
}

/** Its replicas are listed and not ready, or it is the one shard whose other node is being restarted. */
export function isReplicaAway({ nodeIds }: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  const { nodes, unknownNodes, loosePods } = snapshot;
  const followed = new Set(nodes.map(({ masterId }) => masterId));
  if (nodeIds.every((id) => followed.has(id))) return true;
  const isLate = ageMs > limitsMs.readMs && !loosePods.some(isStarting);
  if (isLate) return false;
  // A replica whose pod is being replaced is listed, and for a moment nothing more is known of it.
  const listed = new Set(unknownNodes.map(({ masterId }) => masterId));
  if (nodeIds.every((id) => listed.has(id))) return true;
  const bare = nodes.filter(
    ({ id, role, slots }) => role === 'master' && slots.length > 0 && !followed.has(id) && !listed.has(id),
  );
  // Of a shard whose roles change between two readings both nodes say that they are its master.
  const slots = unionSlots(...bare.map((node) => node.slots));
  return bare.some((node) => subtractSlots(slots, node.slots).length === 0);
}

/** A link is made again within seconds; copying takes as long as there is data. */
export function isLinking(finding: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  if (ageMs <= limitsMs.readMs) return true;
  return nodesOf(finding, snapshot).every(({ view }) => view?.replication.syncing === true);
}

/** What a master holds is not served while it reads its files, unless a replica takes over. */
export function isLoading(finding: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  return ageMs <= limitsMs.failoverMs || nodesOf(finding, snapshot).every(({ slots }) => slots.length === 0);
}

/** A member that serves nothing, and whose pod is removed. */
export function isLeaving(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every(({ slots, pod }) => {
    if (slots.length > 0) return false;
    if (pod === undefined || pod.deleting) return true;
    const set = snapshot.workloads.find(({ name }) => name === pod.workload);
    return set !== undefined && (ordinalOf(pod.name, set.name) ?? 0) >= set.replicas;
  });
}

/** One that is copying, and whose server or whose master's has just started. */
export function hasYoungReplica(finding: Finding, { nodes }: ClusterSnapshot): boolean {
  const isYoungMaster = nodesOf(finding, { nodes }).some(young);
  return nodes.some(
    ({ masterId, view }) =>
      masterId !== undefined &&
      finding.nodeIds.includes(masterId) &&
      view !== undefined &&
      (isYoungMaster || view.uptimeSeconds <= youngSeconds),
  );
}

/** A replica connects again some seconds after its own start or its master's. */
export function isYoungPair(finding: Finding, { nodes }: ClusterSnapshot): boolean {
  return nodesOf(finding, { nodes }).every(
    (node) => young(node) || nodes.some((other) => other.id === node.masterId && young(other)),
  );
}

export function isYoung(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every(young);
}

/** Servers that have just started say that the cluster is down until they have heard from most masters. */
export function isYoungAndEmpty(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every((node) => young(node) && node.slots.length === 0);
}

/** A master that was restarted without a failover serves its slots again some seconds later. */
export function isYoungMinority(finding: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  if (isYoungAndEmpty(finding, snapshot)) return true;
  const isFew = finding.nodeIds.length * 2 < snapshot.nodes.length;
  return isFew && ageMs <= limitsMs.handoverMs && isYoung(finding, snapshot);
}

function young({ view }: Pick<RedisNode, 'view'>): boolean {
  return view !== undefined && view.uptimeSeconds <= youngSeconds;
}

/** A pod that is not running yet; not one whose server came back without its data. */
export function isPassing({ message }: Finding, { loosePods }: ClusterSnapshot, ageMs: number): boolean {
  return loosePods.some(
    (pod) =>
      message.startsWith(`Pod ${pod.name} `) &&
      pod.phase === 'Pending' &&
      (isStarting(pod) || isWithoutVolume(pod)) &&
      isPodPassing(pod, ageMs),
  );
}

/** A server that joins or leaves is empty and under another node id than some others list, for a moment. */
export function isReset(finding: Finding, snapshot: ClusterSnapshot, ageMs: number): boolean {
  const pod = snapshot.loosePods.find(({ name }) => finding.message.startsWith(`Pod ${name} `));
  if (pod !== undefined && isRunning(pod)) return ageMs <= limitsMs.handoverMs;
  return isPassing(finding, snapshot, ageMs);
}

/** A slot may leave one server behind the reading of its target, which the others know. */
export function isHandedOver({ slots = [] }: Finding, { nodes }: ClusterSnapshot): boolean {
  const answering = nodes.filter(({ view }) => view !== undefined);
  const ids = new Set(answering.map(({ id }) => id));
  const claimed = answering.flatMap(({ view }) => view?.others ?? []).filter(({ id }) => ids.has(id));
  return countSlots(subtractSlots(slots, unionSlots(...claimed.map((line) => line.slots)))) === 0;
}

/** Asked before it was introduced, listed by nodes that were asked later. */
export function isNewcomer(finding: Finding, snapshot: ClusterSnapshot): boolean {
  return nodesOf(finding, snapshot).every(
    ({ role, slots, health }) => role === 'master' && slots.length === 0 && health === 'unreachable',
  );
}

/** Servers that hold nothing and are about to be introduced; one that lost its data is a fault all the same. */
export function isJoining(_: Finding, snapshot: ClusterSnapshot): boolean {
  return emptyParts(snapshot).every(({ why }) => why === 'never-joined');
}

/** No server has a slot or a key yet, and some servers have just started. */
export function isNew(_: Finding, { nodes }: ClusterSnapshot): boolean {
  return (
    nodes.every(({ slots, view }) => slots.length === 0 && (view?.keys ?? 0) === 0) &&
    nodes.some(({ view }) => view !== undefined && view.uptimeSeconds <= formingSeconds)
  );
}
