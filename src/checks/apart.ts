import type { Finding } from '../model/finding.ts';
import { quantity } from '../model/quantity.ts';
import { emptyParts, partsWithData } from '../model/parts.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterPart, ClusterSnapshot, DuplicateId, Impostor } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';
import { shortList } from '../model/unread.ts';
import type { Rule } from './rule.ts';

/** Servers of one cluster that do not know each other any more, servers of another one among them, and merged clusters. */
export const apart: Rule = (snapshot) => [
  ...fallenApart(snapshot),
  ...emptyServers(snapshot),
  ...(snapshot.duplicateIds ?? []).map(duplicateId),
  ...snapshot.impostors.map((impostor) => impostorAt(snapshot, impostor)),
  ...merged(snapshot),
];

function duplicateId({ id, servers }: DuplicateId): Finding {
  return {
    rule: 'duplicate-id',
    severity: 'error',
    message: `${quantity(servers.length, 'server')} run with the same node id ${id.slice(0, 8)}: ${shortList(servers)}.`,
    evidence: [`CLUSTER MYID says ${id} on each of them; their INFO reports different run_ids.`],
    remedy:
      'One of them was started from a copy of the other’s nodes.conf or volume. Stop the copy, and delete its nodes.conf before you start it again: it then gets an id of its own. Until then, all changes are refused.',
    nodeIds: [id],
  };
}

/** A server in a member's place: of another cluster, or another member, to which clients and replicas are then led. */
function impostorAt({ nodes }: ClusterSnapshot, { address, listedId, answeringId }: Impostor): Finding {
  const other = nodes.find(({ id, view }) => id === answeringId && view !== undefined);
  const whose = other === undefined ? ' of another cluster' : '';
  return {
    rule: 'impostor',
    severity: 'error',
    message: `Node ${answeringId.slice(0, 8)}${whose} answers at ${address} instead of member ${listedId.slice(0, 8)}.`,
    evidence: [`Members list ${listedId} at ${address}.`, `The server there reports the id ${answeringId}.`],
    remedy:
      other === undefined
        ? 'From this machine, the address leads to another server: through a tunnel, a port mapping or a reused address. Make it reach the member. Until then, nothing is sent to that server.'
        : `Clients that ask for slots of ${listedId.slice(0, 8)} and its replicas are led to the wrong server. Correct what it announces (cluster-announce-ip, cluster-announce-port), or the port mapping, before a failover: its replicas may hold copies of the other server’s keys.`,
    nodeIds: nodes.some(({ id }) => id === listedId) ? [listedId] : [],
  };
}

function fallenApart(snapshot: ClusterSnapshot): readonly Finding[] {
  const { nodes } = snapshot;
  const others = partsWithData(snapshot);
  if (others.length === 0) return [];
  const own = nodes.reduce((sum, { role, view }) => sum + (role === 'master' ? (view?.keys ?? 0) : 0), 0);
  return [
    {
      rule: 'apart',
      severity: 'error',
      message: isForeign(others)
        ? `The addresses lead to ${quantity(others.length + 1, 'cluster')} that do not know each other.`
        : `The cluster is split into ${quantity(others.length + 1, 'part')} that do not know each other.`,
      evidence: [
        `This part: ${shortList(nodes.map(nodeName))} (${quantity(own, 'key')}).`,
        ...others.map(partText),
      ],
      remedy: isForeign(others)
        ? 'Remove the addresses of the other cluster, and add that cluster separately. Do not introduce their nodes to each other: both serve the same slots, and one would delete its keys.'
        : 'Keep all parts running: each may hold keys that no other part has. Decide which part is right; until then, slots are not assigned, moved or deleted. Look for the cause in the pods’ volumes: nodes.conf must be stored on the volume, too.',
      nodeIds: [],
    },
  ];
}

/** Whether the others are whole clusters, which nothing but the user's list of addresses has brought together. */
function isForeign(others: readonly ClusterPart[]): boolean {
  return others.every(({ why }) => why === 'own-cluster');
}

/** One part in a sentence: who, with what, and how it came to stand apart. */
export function partText({ nodes, keys, slots, why }: ClusterPart): string {
  const holds = [quantity(keys, 'key'), slots.length === 0 ? 'no slots' : slotsText(slots)].join(', ');
  return `${shortList(nodes.map(nodeName))} (${holds}): ${reasons[why]}.`;
}

const reasons: Readonly<Record<ClusterPart['why'], string>> = {
  'lost-identity': 'lost its identity (nodes.conf): it holds the data of a member under another node id',
  'lost-volume': 'lost its volume: it came back empty with another node id',
  'never-joined': 'never joined the cluster',
  'own-cluster': 'is in a separate cluster that serves all slots',
};

/** Servers at an address; `membership` finds those in pods. */
function emptyServers(snapshot: ClusterSnapshot): readonly Finding[] {
  return emptyParts(snapshot)
    .filter(({ nodes }) => nodes.every(({ pod }) => pod === undefined))
    .map((part) => ({
      rule: 'loose-server',
      severity: 'warning',
      message: `${shortList(part.nodes.map(nodeName))} is not part of the cluster: it ${reasons[part.why]}.`,
      evidence: ['It has no keys and no slots, and no member lists it.'],
      remedy: '“Add Shard…” adds empty servers by their addresses.',
      nodeIds: [],
    }));
}

function merged({ mergedFrom, nodes }: ClusterSnapshot): readonly Finding[] {
  if (mergedFrom.length === 0) return [];
  const names = mergedFrom.join(' and ');
  const byWorkload = Map.groupBy(nodes, ({ pod }) => pod?.workload ?? 'outside Kubernetes');
  return [
    {
      rule: 'merged',
      severity: 'error',
      message: `Clusters ${names} have merged: their nodes know each other.`,
      evidence: [...byWorkload].map(([workload, own]) => {
        const slots = own.filter((node) => node.slots.length > 0);
        const served = slots.map((node) => `${nodeName(node)} ${formatSlots(node.slots)}`);
        return `${workload}: ${quantity(own.length, 'node')}; ${served.length === 0 ? 'no slots' : shortList(served)}`;
      }),
      remedy:
        'Change nothing until you have decided what to keep: slots of one cluster may have been overwritten by the other, and a failover may promote a replica of the wrong one. A NetworkPolicy or distinct bus passwords keep clusters from merging when an address is reused.',
      nodeIds: [],
    },
  ];
}
