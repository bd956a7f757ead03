import { answers, votersOf } from './answering.ts';
import type { KnownNode } from './nodeView.ts';
import type { ClusterSnapshot, RedisNode, WorkloadFacts } from './snapshot.ts';

/** A StatefulSet whose replicas were lowered below the cluster's members, and the members that went with that. */
export interface ScaledDown {
  readonly workload: WorkloadFacts;
  readonly nodes: readonly RedisNode[];
}

/**
 * Members whose pods are gone since the replicas of their StatefulSet are fewer than the cluster has members, as
 * `kubectl scale` makes it; undefined where that is not so. A member whose pod name is known counts by its ordinal.
 */
export function goneMembers(snapshot: ClusterSnapshot): ScaledDown | undefined {
  const [workload, ...others] = snapshot.workloads;
  if (workload?.kind !== 'StatefulSet' || others.length > 0) return undefined;
  const podless = snapshot.nodes.filter((node) => !answers(node) && node.pod === undefined);
  const nodes = podless.filter(({ id }) => {
    const name = podNameOf(snapshot, id);
    if (name === undefined) return snapshot.nodes.length > workload.replicas;
    return (ordinalOf(name, workload.name) ?? -1) >= workload.replicas;
  });
  return nodes.length === 0 ? undefined : { workload, nodes };
}

/** The StatefulSet that was scaled to 0 pods, where the cluster has no other; undefined where that is not so. */
export function stoppedSet({ nodes, loosePods, workloads }: ClusterSnapshot): WorkloadFacts | undefined {
  const [workload, ...others] = workloads;
  if (workload?.kind !== 'StatefulSet' || others.length > 0 || workload.replicas > 0) return undefined;
  return nodes.length + loosePods.length === 0 ? workload : undefined;
}

/** The pod that a silent node ran in, by the name it announced to its peers. */
export function podNameOf(snapshot: ClusterSnapshot, id: string): string | undefined {
  for (const { view } of snapshot.nodes) {
    const hostname = view?.others.find((line) => line.id === id)?.hostname;
    if (hostname !== undefined && hostname !== '') return hostname.split('.')[0];
  }
  return undefined;
}

/** The number in a StatefulSet's pod's name; undefined where the pod is not of that set. */
export function ordinalOf(pod: string, set: string): number | undefined {
  const number = pod.startsWith(`${set}-`) ? pod.slice(set.length + 1) : '';
  return /^\d+$/.test(number) ? Number(number) : undefined;
}

/** What the nodes that answer list about one; a handshake is a node that has not answered yet. */
export function linesAbout(snapshot: ClusterSnapshot, id: string): readonly KnownNode[] {
  return snapshot.nodes.flatMap(
    ({ view }) => view?.others.filter((line) => line.id === id && !line.flags.includes('handshake')) ?? [],
  );
}

/** Whether nobody is in touch with a node that does not answer, so that it would not be back at once when forgotten. */
export function isOutOfTouch(snapshot: ClusterSnapshot, id: string): boolean {
  const node = snapshot.nodes.find((other) => other.id === id);
  return node?.health === 'failed' || linesAbout(snapshot, id).every(isLost);
}

/**
 * Whether every node that lists it has lost its address, as after a restart of all with new addresses or where another
 * server came to its place. It may run, where other nodes cannot find it.
 */
export function isWithoutAddress(snapshot: ClusterSnapshot, id: string): boolean {
  const lines = linesAbout(snapshot, id);
  return lines.length > 0 && !lines.some(hasAddress);
}

/** Whether a server that answers is connected to the node and does not suspect it: the node runs, read or not. */
export function isSeenByPeers(snapshot: ClusterSnapshot, id: string): boolean {
  return linesAbout(snapshot, id).some((line) => !isLost(line) && !line.flags.includes('fail?'));
}

/**
 * Whether enough masters could declare a node failed, for which more than half of all have to miss it (specification,
 * "Failure detection"). Nobody misses a node that was forgotten or whose address was lost: it is not asked any more. A master that only this
 * machine does not reach counts as one that could.
 */
export function canBeDeclaredFailed(snapshot: ClusterSnapshot, id: string): boolean {
  const { all } = votersOf(snapshot);
  const able = all.filter((voter) => {
    if (!answers(voter)) return isSeenByPeers(snapshot, voter.id);
    const lines = voter.view.others.filter((line) => line.id === id);
    return lines.length > 0 && lines.every(hasAddress);
  });
  return able.length * 2 > all.length;
}

/**
 * Whether a silent replica may be all that is left of slots: its master is silent too and owns some that no other master
 * serves, and no other replica of it answers.
 */
export function isLastCopy({ nodes, unknownNodes }: ClusterSnapshot, id: string): boolean {
  const node = nodes.find((other) => other.id === id);
  const masterId = (node ?? unknownNodes.find((line) => line.id === id))?.masterId;
  if (masterId === undefined || answers(node)) return false;
  const master = nodes.find((other) => other.id === masterId);
  if (master === undefined || answers(master) || master.slots.length === 0) return false;
  return !nodes.some((other) => other.masterId === master.id && answers(other));
}

function hasAddress({ host, flags }: KnownNode): boolean {
  return host !== '' && !flags.includes('noaddr');
}

function isLost({ flags, linkState }: KnownNode): boolean {
  return flags.some((flag) => flag === 'fail' || flag === 'noaddr') || linkState === 'disconnected';
}
