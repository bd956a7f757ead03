import { answers } from '../model/answering.ts';
import { formatAddress, isKubernetesRef } from '../model/clusterRef.ts';
import { hasEnded } from '../model/endedPods.ts';
import { isLastCopy, isOutOfTouch, ordinalOf, podNameOf } from '../model/goneMembers.ts';
import type { Finding } from '../model/finding.ts';
import type { KnownNode } from '../model/nodeView.ts';
import { emptyParts, mayRunUnderAnotherId, partsWithData } from '../model/parts.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import { areAlone, fewestMasters, isUnformed } from '../model/unformed.ts';
import { isRunning, isUnread, serverName, shortList } from '../model/unread.ts';
import type { Rule } from './rule.ts';
import {
  addressRemedy,
  endedRemedy,
  isStarting,
  lastCopyRemedy,
  perhapsScaledDown,
  replacement,
  scaleBackRemedy,
  scaledBelow,
} from './wayBack.ts';

/** Pods that are in no cluster, servers that never formed one, and nodes that the cluster lists and that were not found. */
export const membership: Rule = (snapshot) => {
  const ended = snapshot.loosePods.filter(hasEnded).map((pod) => endedPod(snapshot, pod));
  if (isUnread(snapshot)) return ended;
  const silent = new Set(snapshot.unread.flatMap(({ pod }) => pod?.uid ?? []));
  // Whether a server that runs and was not read has joined is not known; `unread` says why.
  const apart = new Set(partsWithData(snapshot).flatMap((part) => part.nodes.map(({ pod }) => pod?.uid)));
  const known = snapshot.loosePods.filter(
    (pod) => !(silent.has(pod.uid) && isRunning(pod)) && !hasEnded(pod) && !apart.has(pod.uid),
  );
  return [
    ...(isUnformed(snapshot) ? [unformed(snapshot)] : []),
    ...ended,
    ...known.map((pod) => loosePod(snapshot, pod)),
    ...snapshot.unknownNodes.map((line) => unknownNode(snapshot, line)),
  ];
};

function endedPod(snapshot: ClusterSnapshot, pod: PodFacts): Finding {
  return {
    rule: 'ended-pod',
    severity: 'warning',
    message: `Pod ${pod.name} has terminated (${pod.reason ?? pod.phase}) and is not replaced.`,
    evidence: [pod.reasonMessage ?? `Phase ${pod.phase}`],
    remedy: endedRemedy(snapshot, pod),
    nodeIds: [],
  };
}

function loosePod(snapshot: ClusterSnapshot, pod: PodFacts): Finding {
  const { name, phase, reason, reasonMessage } = pod;
  const evidence = [reasonMessage ?? `Phase ${phase}`];
  const found = { rule: 'loose-pod', evidence, nodeIds: [] };
  if (pod.deleting) {
    const remedy = 'Wait until it is gone.';
    return { ...found, severity: 'info', message: `Pod ${name} is being deleted.`, remedy };
  }
  if (isStarting(pod)) {
    const remedy = 'Wait until its server runs.';
    return { ...found, severity: 'info', message: `Pod ${name} is starting: ${reason ?? phase}.`, remedy };
  }
  if (!isRunning(pod)) {
    const remedy = `Look at the logs and events of pod ${name}.`;
    return {
      ...found,
      severity: 'warning',
      message: `Pod ${name} is not running: ${reason ?? phase}.`,
      remedy,
    };
  }
  const remedy = joinRemedy(snapshot, pod);
  if (isEmptied(snapshot, pod)) {
    const message = `Pod ${name} came back empty with another node id: its volume was lost or is not mounted.`;
    return { ...found, severity: 'warning', message, remedy };
  }
  return {
    ...found,
    severity: 'info',
    message: `Pod ${name} is not part of the cluster: it has not joined.`,
    remedy,
  };
}

/** Whether the pod was a member's before, and its server started without that member's data. */
function isEmptied(snapshot: ClusterSnapshot, { uid }: PodFacts): boolean {
  return emptyParts(snapshot).some(
    ({ nodes, why }) => why === 'lost-volume' && nodes.some(({ pod }) => pod?.uid === uid),
  );
}

function joinRemedy(snapshot: ClusterSnapshot, { name }: PodFacts): string {
  const { workloads, nodes } = snapshot;
  const [workload, ...others] = workloads;
  if (workload?.kind !== 'StatefulSet' || others.length > 0) {
    return `The tool that created pod ${name} must add it to the cluster. Look at its logs.`;
  }
  const isHealthy =
    partsWithData(snapshot).length === 0 && nodes.every((node) => answers(node) || node.slots.length === 0);
  const scale = `${isHealthy ? '' : 'once the other problems are solved, '}“Scale…” to the current number of pods (${workload.replicas}) joins it`;
  return workload.bundled
    ? `Its agent joins it within seconds. If it does not, ${scale}; the log of container agent says what it is waiting for.`
    : `${scale.charAt(0).toUpperCase()}${scale.slice(1)} as a replica.`;
}

/** What “Form Cluster…” would refuse is said instead of it. */
function formRemedy(snapshot: ClusterSnapshot): string {
  const { ref, nodes, unread } = snapshot;
  if (unread.length > 0) {
    return `Make ${shortList(unread.map(serverName))} readable first, or remove them: a cluster is formed only of servers that all answer.`;
  }
  const coming = replacement(snapshot, undefined);
  if (coming !== undefined) return coming;
  if (nodes.length < fewestMasters) {
    return isKubernetesRef(ref)
      ? `A cluster needs at least ${quantity(fewestMasters, 'server')}: raise the number of pods, then form it.`
      : `A cluster needs at least ${quantity(fewestMasters, 'server')}: add all their addresses, then form it.`;
  }
  return '“Form Cluster…” creates a cluster from them.';
}

function unformed(snapshot: ClusterSnapshot): Finding {
  const { nodes, workloads } = snapshot;
  const keys = nodes.reduce((sum, { view }) => sum + (view?.keys ?? 0), 0);
  const isBundled = workloads.some(({ bundled }) => bundled);
  return {
    rule: 'not-formed',
    severity: 'error',
    message: `No cluster has been formed yet: ${quantity(nodes.length, 'server')} ${nodes.length === 1 ? 'runs' : 'run'}, and ${areAlone(snapshot) ? 'none knows another' : 'none owns hash slots'}.`,
    evidence: [
      `${shortList(nodes.map(nodeName))}: no slots, ${keys === 0 ? 'no keys' : quantity(keys, 'key')}`,
    ],
    remedy:
      keys > 0
        ? 'They hold keys: they may have lost their nodes.conf. Restore it from a backup, or ask a person who knows this cluster; a new cluster would not serve these keys.'
        : isBundled
          ? 'Wait: the pods’ agents form it within a minute. If they do not, look at the log of container agent.'
          : formRemedy(snapshot),
    nodeIds: nodes.map(({ id }) => id),
  };
}

function unknownNode(snapshot: ClusterSnapshot, line: KnownNode): Finding {
  const { id, host, port, flags } = line;
  return {
    rule: 'unknown-node',
    severity: 'warning',
    message: `Unknown node ${id.slice(0, 8)} (${host === '' ? 'no address' : host}): the cluster lists it, but no pod or server with this id was found.`,
    evidence: [`${id} ${formatAddress({ host, port })} ${flags.join(',')}`],
    remedy: unknownRemedy(snapshot, id),
    nodeIds: [],
  };
}

function unknownRemedy(snapshot: ClusterSnapshot, id: string): string {
  const name = podNameOf(snapshot, id);
  const coming = replacement(snapshot, name);
  if (coming !== undefined) return coming;
  if (!isOutOfTouch(snapshot, id)) {
    return 'Other nodes are connected to it, so it is running where this machine cannot reach it. Find its server.';
  }
  if (mayRunUnderAnotherId(snapshot))
    return 'First resolve the finding about the parts of the cluster: its server may be there under another node id.';
  const gone = scaledBelow(snapshot);
  if (gone !== undefined) return scaleBackRemedy(gone, snapshot);
  if (isLastCopy(snapshot, id)) return lastCopyRemedy;
  const above = snapshot.workloads.find((set) => (ordinalOf(name ?? '', set.name) ?? -1) >= set.replicas);
  const forget = '“Forget Node…” removes a node that is gone for good from all others at once.';
  const perhaps = perhapsScaledDown(snapshot);
  const found = perhaps ?? addressRemedy(snapshot, id);
  if (above === undefined) return found === undefined ? forget : `${found} Otherwise ${forget}`;
  if (snapshot.workloads.length > 1)
    return `StatefulSet ${above.name} has spec.replicas ${above.replicas}: raise them, and pod ${name ?? ''} starts again with its volume. ${forget}`;
  return `StatefulSet ${above.name} has spec.replicas ${above.replicas}: “Scale…” to more pods starts ${name ?? ''} again. ${forget}`;
}
