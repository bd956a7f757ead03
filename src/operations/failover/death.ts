import { formatAddress, isKubernetesRef } from '../../model/clusterRef.ts';
import type { KnownNode } from '../../model/nodeView.ts';
import { nodeName } from '../../model/shards.ts';
import { podNameOf } from '../../model/goneMembers.ts';
import type { ClusterSnapshot, PodFacts, RedisNode } from '../../model/snapshot.ts';
import { answers } from '../servers/nodes.ts';

/**
 * What proves that a node's server does not run any more, in Kubernetes' own words; undefined where nothing does. A
 * server that merely does not answer may still be serving clients on the other side of a broken network.
 */
export function proofOfDeath(snapshot: ClusterSnapshot, node: RedisNode): string | undefined {
  if (!isKubernetesRef(snapshot.ref) || snapshot.apiProblem !== undefined || answers(node)) return undefined;
  const pod = ownPod(snapshot, node);
  if (pod !== undefined) return endOf(pod);
  const name = podNameOf(snapshot, node.id);
  return name === undefined ? proofByElimination(snapshot, node) : proofByName(snapshot, name);
}

/**
 * What contradicts a person who says that a node is dead, as a sentence without its end; undefined where nothing does:
 * Kubernetes reports that its pod is ready, or other nodes are connected to it.
 */
export function signOfLife(snapshot: ClusterSnapshot, node: RedisNode): string | undefined {
  const name = nodeName(node);
  if (answers(node)) return `${name} answers`;
  const pod = snapshot.apiProblem === undefined ? ownPod(snapshot, node) : undefined;
  if (pod?.ready === true && pod.ended !== true && !pod.deleting) {
    return `Kubernetes reports that pod ${pod.name} is running and ready`;
  }
  const connected = snapshot.nodes.filter(({ view }) =>
    view?.others.some((line) => line.id === node.id && isConnected(line)),
  );
  return connected.length === 0
    ? undefined
    : `${connected.map(nodeName).join(', ')} ${connected.length === 1 ? 'is' : 'are'} connected to ${name}`;
}

function isConnected({ flags, linkState }: KnownNode): boolean {
  return linkState === 'connected' && !flags.some((flag) => flag === 'fail' || flag === 'fail?');
}

/** The pod a node is shown with, unless only an address that several servers share has brought them together. */
function ownPod({ nodes }: ClusterSnapshot, { id, host, port, pod }: RedisNode): PodFacts | undefined {
  if (pod === undefined || (pod.ip === host && pod.port !== port)) return undefined;
  const isShared = nodes.some((other) => other.id !== id && other.pod?.uid === pod.uid);
  return isShared ? undefined : pod;
}

function endOf({ name, container, ended }: PodFacts): string | undefined {
  return ended === true ? `container ${container} of pod ${name} has terminated` : undefined;
}

/** A StatefulSet runs one pod of a name at a time: what runs under that name now has taken the place of the old one. */
function proofByName(snapshot: ClusterSnapshot, name: string): string | undefined {
  const holder = snapshot.nodes.find((other) => other.pod?.name === name);
  if (holder !== undefined) {
    return holder.view === undefined ? undefined : `pod ${name} now runs another node (${holder.id})`;
  }
  const loose = snapshot.loosePods.find((pod) => pod.name === name);
  if (loose === undefined) return `pod ${name} is gone`;
  return isRead(snapshot, loose) ? `pod ${name} now runs another node` : endOf(loose);
}

/**
 * For nodes that announce no name. Every member was in a pod of the StatefulSets, as there are no more members than
 * pods; each pod that could be the node's runs another node, has ended or is gone; and none has its address and port.
 */
function proofByElimination(snapshot: ClusterSnapshot, { host, port }: RedisNode): string | undefined {
  const { nodes, loosePods, otherParts, workloads } = snapshot;
  const wanted = workloads.reduce((sum, { replicas }) => sum + replicas, 0);
  if (host === '' || workloads.some(({ kind }) => kind !== 'StatefulSet') || nodes.length > wanted) {
    return undefined;
  }
  if (nodes.some(({ pod, view }) => pod === undefined && view !== undefined)) return undefined;
  const apart = otherParts.flatMap((part) => part.nodes);
  const pods = [...[...nodes, ...apart].flatMap(({ pod }) => pod ?? []), ...loosePods];
  const isSilent = ({ uid }: PodFacts): boolean =>
    nodes.some(({ pod, view }) => pod?.uid === uid && view === undefined) ||
    apart.some(({ pod, view }) => pod?.uid === uid && view === undefined) ||
    loosePods.some((pod) => pod.uid === uid && !isRead(snapshot, pod));
  const uncertain = pods.filter((pod) => isSilent(pod) && endOf(pod) === undefined);
  if (uncertain.length > 0) return undefined;
  if (pods.some((pod) => pod.ip === host && pod.port === port && endOf(pod) === undefined)) return undefined;
  const names = workloads.map(({ name }) => name).join(', ');
  return `no pod has its address ${formatAddress({ host, port })} any more, and every pod of ${names} runs another node, has terminated or is gone`;
}

function isRead({ unread }: ClusterSnapshot, { uid, phase }: PodFacts): boolean {
  return phase === 'Running' && !unread.some(({ pod }) => pod?.uid === uid);
}
