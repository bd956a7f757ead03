import { formatAddress, isKubernetesRef } from '../model/clusterRef.ts';
import type { Finding } from '../model/finding.ts';
import { stoppedSet } from '../model/goneMembers.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import {
  isUnread,
  reasonText,
  serverName,
  shortList,
  unreadEvidence,
  unreadGroups,
  whyUnread,
  type UnreadGroup,
} from '../model/unread.ts';
import type { Rule } from './rule.ts';

/** Servers from which nothing was read, with the reason: of none of them anything is known, so nothing of it is well. */
export const unread: Rule = (snapshot) =>
  isUnread(snapshot) ? [nothingRead(snapshot)] : partlyRead(snapshot);

function nothingRead(snapshot: ClusterSnapshot): Finding {
  const groups = unreadGroups(snapshot);
  return {
    rule: 'unread',
    severity: 'error',
    message: `Cannot be read: ${whyUnread(snapshot)}.`,
    evidence: [...groups.flatMap(unreadEvidence), 'Its slots, keys and replicas are unknown.'],
    remedy:
      groups.length === 0
        ? remedyWithoutServers(snapshot)
        : groups.map((group) => readRemedy(snapshot, group)).join(' '),
    nodeIds: [],
  };
}

function remedyWithoutServers(snapshot: ClusterSnapshot): string {
  const { workloads, loosePods } = snapshot;
  if (stoppedSet(snapshot) !== undefined) {
    return '“Scale…” to the number of pods it had starts them again with their volumes, which Kubernetes keeps unless the StatefulSet says otherwise.';
  }
  const isStopped = loosePods.length === 0 && workloads.some(({ replicas }) => replicas === 0);
  return isStopped
    ? 'Scale the workloads up again to the number of pods they had; their volumes are kept unless a workload says otherwise.'
    : 'Wait until its pods run; their events say what they wait for.';
}

/**
 * Pods whose server runs and was not read. Members are found by `reachable` and pods that do not run by `membership`,
 * each by its name.
 */
function partlyRead(snapshot: ClusterSnapshot): readonly Finding[] {
  const members = new Set(snapshot.nodes.flatMap(({ pod }) => pod?.uid ?? []));
  const addresses = new Set(snapshot.nodes.map(formatAddress));
  const others = snapshot.unread.filter(({ pod, address }) =>
    pod === undefined ? !addresses.has(address ?? '') : !members.has(pod.uid),
  );
  return unreadGroups({ unread: others })
    .filter(({ reason }) => reason !== 'pod')
    .map((group) => ({
      rule: 'unread',
      severity: 'warning',
      message: `${shortList(group.servers.map(serverName))} could not be read: ${reasonText(group)}.`,
      evidence: [
        ...unreadEvidence(group),
        'Whether they are part of the cluster and what they hold is unknown.',
      ],
      remedy: readRemedy(snapshot, group),
      nodeIds: [],
    }));
}

/** What makes servers readable again, wherever they are. */
const remedies = {
  tls: '“Sign In…” takes the certificate authority of the servers, a client certificate with its key, and the server name.',
  command:
    'Allow the user to run the command named there, or sign in as another user with “Sign In…”. Reading requires CLUSTER NODES, CLUSTER INFO and INFO; a renamed command cannot be used.',
  forbidden:
    'Request the permission that is named there. Reading requires permission to list pods, to get the Secret with the password, and to get and create pods/portforward. Where only the Secret is denied, “Sign In…” takes the password from you.',
  timeout:
    'Check whether the servers are overloaded or stopped, and the network to them. They are retried every few seconds.',
  'not-clustered': 'Only servers with “cluster-enabled yes” in their configuration form a Redis Cluster.',
} as const;

/** What makes servers readable again. */
export function readRemedy({ ref }: ClusterSnapshot, { reason, servers }: UnreadGroup): string {
  if (reason === 'pod') return `Look at the logs and events of ${shortList(servers.map(serverName), 3)}.`;
  if (reason !== 'password' && reason !== 'rejected' && reason !== 'unreachable') return remedies[reason];
  return isKubernetesRef(ref) ? remedyInPods(reason, servers) : remedyAt[reason];
}

const remedyAt = {
  password: '“Sign In…” takes a user name and password.',
  rejected: 'The password may have been changed. “Sign In…” takes a user name and password.',
  unreachable:
    'Check that the servers run and that this machine reaches their addresses; they are retried every few seconds. Addresses of servers that are gone for good can be removed from the setting redisCluster.addresses.',
} as const;

function remedyInPods(reason: keyof typeof remedyAt, servers: UnreadGroup['servers']): string {
  const container = servers.find(({ pod }) => pod !== undefined)?.pod?.container ?? '';
  switch (reason) {
    case 'password':
      return `“Sign In…” takes a user name and password. None was found in the Secrets that container ${container} refers to, as an environment variable such as REDIS_PASSWORD or as a mounted file.`;
    case 'rejected':
      return `The password may have been changed. “Sign In…” takes a user name and password. Without it, what the Secrets of container ${container} say is tried again every few seconds.`;
    case 'unreachable':
      return 'Check the events of the pods and the network to the Kubernetes API. They are retried every few seconds.';
  }
}
