import { answers } from '../model/answering.ts';
import { formatAddress } from '../model/clusterRef.ts';
import { misplacedMaster } from '../model/misplacedMaster.ts';
import { isApart } from '../model/parts.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName, shardsOf } from '../model/shards.ts';
import type { Finding } from '../model/finding.ts';
import type { KnownNode, NodeView } from '../model/nodeView.ts';
import type { ClusterSnapshot, RedisNode, Shard } from '../model/snapshot.ts';
import { shortList, whyDenied } from '../model/unread.ts';
import type { Rule } from './rule.ts';
import { isReachedElsewhere } from './unreached.ts';
import { perhapsScaledDown, replacement, wayBack } from './wayBack.ts';

/** Replicas whose link to the master is down, servers still loading, and masters that nobody could take over from. */
export const replication: Rule = (snapshot) => {
  const findings: Finding[] = [];
  for (const node of snapshot.nodes) {
    if (node.view?.loading === true) {
      findings.push({
        rule: 'loading',
        severity: 'warning',
        message: `${nodeName(node)} is loading its data.`,
        evidence: ['INFO persistence reports loading:1'],
        remedy: 'Wait until it has read its files.',
        nodeIds: [node.id],
      });
    } else if (node.view?.replication.linkUp === false && !isMasterGone(snapshot, node)) {
      findings.push(linkFinding(node, node.view));
    }
  }
  const shards = shardsOf(snapshot);
  const isAway = ({ masterId, flags }: KnownNode, id: string): boolean =>
    masterId === id && !flags.includes('handshake');
  // A master whose slots went to several others while it was away stays an empty one.
  const spare = shards.find((shard) => isSpare(shard))?.master;
  for (const { master, replicas } of shards) {
    // Of a master that is gone itself `reachable` says who has its data.
    if (!answers(master) || master.slots.length === 0 || replicas.some(isInStep)) continue;
    findings.push({
      rule: 'no-replica',
      severity: 'warning',
      message: replicas.some((node) => isUnknown(snapshot, node))
        ? `It is unknown whether a replica could take over from ${nodeName(master)}.`
        : `${nodeName(master)} has no replica that could take over.`,
      evidence: [
        replicasText(
          snapshot,
          replicas,
          snapshot.unknownNodes.filter((line) => isAway(line, master.id)),
        ),
      ],
      remedy: remedyFor(snapshot, replicas, spare),
      nodeIds: [master.id],
    });
  }
  return findings;
};

function linkFinding(node: RedisNode, view: NodeView): Finding {
  const { syncing = false, masterHost = '' } = view.replication;
  const master = misplacedMaster(view);
  const elsewhere =
    master === undefined
      ? []
      : [`It looks for its master at ${masterHost}, and lists it at ${formatAddress(master)}.`];
  return {
    rule: 'replica-link',
    severity: 'warning',
    message: `${nodeName(node)} ${syncing ? 'is being synchronized from' : 'has lost the link to'} its master.`,
    evidence: ['INFO replication reports master_link_status:down', ...elsewhere],
    remedy:
      master === undefined
        ? 'It cannot take over safely until the link is up.'
        : '“Heal Cluster…” points it to its master’s present address.',
    nodeIds: [node.id],
  };
}

/** Its link is down for a reason that has a finding of its own. */
function isMasterGone({ nodes }: ClusterSnapshot, { masterId }: RedisNode): boolean {
  const master = nodes.find(({ id }) => id === masterId);
  return master !== undefined && !answers(master) && whyDenied(master) === undefined;
}

/** Whether it could take over, also where its cluster is down for another reason. */
function isInStep({ health, view }: RedisNode): boolean {
  return health === 'ok' || (view?.replication.linkUp === true && !view.loading);
}

/** Whether a master that answers has more than one replica that does, so that spreading replicas moves one. */
function hasMovable(snapshot: ClusterSnapshot): boolean {
  return shardsOf(snapshot).some(
    ({ master, replicas }) =>
      answers(master) && master.slots.length > 0 && replicas.filter(answers).length > 1,
  );
}

/** An empty master that may become a replica. */
function isSpare({ master, replicas }: Shard): boolean {
  return (
    master?.health === 'ok' && master.slots.length === 0 && replicas.length === 0 && master.view?.keys === 0
  );
}

/** Whether the server may be as healthy as any other: the way to it, or who asks, is what is wrong. */
function isUnknown(snapshot: ClusterSnapshot, node: RedisNode): boolean {
  return whyDenied(node) !== undefined || isReachedElsewhere(snapshot, node);
}

function replicasText(
  snapshot: ClusterSnapshot,
  replicas: readonly RedisNode[],
  away: readonly KnownNode[],
): string {
  const [first, ...others] = replicas;
  if (first === undefined) {
    return away.length === 0
      ? 'It has no replicas.'
      : `Not found: its ${away.length === 1 ? 'replica' : 'replicas'} ${shortList(away.map(({ id }) => id.slice(0, 8)))}.`;
  }
  const denied = replicas.filter((node) => isUnknown(snapshot, node));
  if (denied.length > 0) return `Could not be read: ${denied.map(nodeName).join(', ')}.`;
  if (others.length === 0) return `Its replica ${nodeName(first)} is unhealthy.`;
  return `None of its ${quantity(replicas.length, 'replica')} is healthy: ${replicas.map(nodeName).join(', ')}.`;
}

/** One that is copying, or on its way back, needs no other beside it. */
function remedyFor(
  snapshot: ClusterSnapshot,
  replicas: readonly RedisNode[],
  spare: RedisNode | undefined,
): string {
  const denied = replicas.find((node) => isUnknown(snapshot, node));
  if (denied !== undefined) return `Make ${nodeName(denied)} readable; the finding about it says how.`;
  const copying = replicas.find(({ view }) => view !== undefined);
  if (copying !== undefined) return `Wait until ${nodeName(copying)} has copied its data.`;
  const [first] = replicas;
  if (first !== undefined)
    return wayBack(snapshot, first) ?? `Restore ${replicas.map(nodeName).join(' or ')}.`;
  if (isApart(snapshot))
    return 'First resolve the finding about the other part of the cluster: its replica may be there.';
  if (spare !== undefined) {
    return `${nodeName(spare)} has no slots: “Move or Spread Replicas…” makes it a replica of this master.`;
  }
  return (
    replacement(snapshot, undefined) ??
    perhapsScaledDown(snapshot) ??
    (hasMovable(snapshot)
      ? 'Add a replica, or move one here with “Move or Spread Replicas…”.'
      : 'Add a server as its replica: no other master has one to spare.')
  );
}
