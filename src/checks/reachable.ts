import { answers, votersOf } from '../model/answering.ts';
import type { Finding } from '../model/finding.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName, slotsText } from '../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../model/snapshot.ts';
import { canBeDeclaredFailed, isLastCopy, isSeenByPeers, isWithoutAddress } from '../model/goneMembers.ts';
import { asSentence, deniedText, shortList, whyDenied } from '../model/unread.ts';
import type { Rule } from './rule.ts';
import { readRemedy } from './unread.ts';
import { isReachedElsewhere } from './unreached.ts';
import {
  addressRemedy,
  copiesText,
  isAllAccountedFor,
  isForgettable,
  lastCopyRemedy,
  memberCount,
  scaleBackRemedy,
  scaledBelow,
  wayBack,
} from './wayBack.ts';

/** Nodes that are members and do not answer, and nodes that their peers have declared failed. */
export const reachable: Rule = (snapshot) => [
  ...scaledDown(snapshot),
  ...withoutMajority(snapshot),
  ...snapshot.nodes
    .filter((node) => node.health === 'failed' || node.health === 'unreachable')
    .filter((node) => !isReachedElsewhere(snapshot, node))
    .map((node): Finding => {
      const role = node.role === 'master' ? 'Master' : 'Replica';
      return {
        rule: 'reachable',
        severity: node.role === 'master' && node.slots.length > 0 ? 'error' : 'warning',
        headline: headline(snapshot, node, role),
        message: `${role} ${nodeName(node)} ${stateText(snapshot, node)}.`,
        evidence: [
          asSentence(node.unreachable?.message ?? 'Its peers flag it as failed.'),
          ...(isSeenByPeers(snapshot, node.id) ? ['Other nodes are connected to it.'] : []),
          ...notVerified(node),
        ],
        remedy: remedyFor(snapshot, node),
        nodeIds: [node.id],
      };
    }),
];

function stateText(snapshot: ClusterSnapshot, node: RedisNode): string {
  const denied = whyDenied(node);
  if (denied !== undefined) return `could not be read: ${deniedText(denied)}`;
  if (node.health === 'failed') return 'has failed';
  return isWithoutAddress(snapshot, node.id) ? 'was not found' : 'does not answer';
}

function headline(snapshot: ClusterSnapshot, node: RedisNode, role: 'Master' | 'Replica'): string {
  if (whyDenied(node) !== undefined) return `${role} denied`;
  if (node.health === 'failed') return `${role} failed`;
  return isWithoutAddress(snapshot, node.id) ? `${role} not found` : `${role} unreachable`;
}

function notVerified({ health, slots }: RedisNode): readonly string[] {
  if (health === 'failed' || slots.length === 0) return [];
  return [`Its ${slotsText(slots)} are as its peers list them; whether they are served is not verified.`];
}

function remedyFor(snapshot: ClusterSnapshot, node: RedisNode): string {
  const { unreachable: failure, pod } = node;
  if (whyDenied(node) !== undefined && failure !== undefined) {
    const server = { failure, ...(pod === undefined ? {} : { pod }) };
    return readRemedy(snapshot, { reason: failure.reason, servers: [server] });
  }
  const takeOver = successor(snapshot, node);
  const back = wayBack(snapshot, node) ?? addressRemedy(snapshot, node.id);
  if (back !== undefined || takeOver !== undefined) {
    return [back, takeOver ?? lossRemedy(snapshot, node)].filter(Boolean).join(' ');
  }
  if (isForgettable(snapshot, node.id)) {
    return 'Find out whether its server still exists; “Forget Node…” removes a node that is gone for good.';
  }
  if (isLastCopy(snapshot, node.id)) return lastCopyRemedy;
  const loss = lossRemedy(snapshot, node);
  return loss === undefined
    ? 'Find out whether its server still exists, and start it again with its data.'
    : `Start its server again with its data. ${loss}`;
}

/** Of a master with slots that is gone, where nothing else can serve them any more. */
function lossRemedy(snapshot: ClusterSnapshot, node: RedisNode): string | undefined {
  const { id, role, health, slots } = node;
  if (role !== 'master' || slots.length === 0 || wayBack(snapshot, node) !== undefined) return undefined;
  const isGone = health === 'failed' || (!canBeDeclaredFailed(snapshot, id) && !isSeenByPeers(snapshot, id));
  const hasCopy = snapshot.nodes.some((one) => one.masterId === id && answers(one));
  if (!isGone || hasCopy || !isAllAccountedFor(snapshot)) return undefined;
  return health === 'failed'
    ? 'Once it is certain that it is lost, “Fix Uncovered Slots…” assigns its slots to other masters.'
    : 'Once it is certain that it is lost, “Fix Uncovered Slots…” assigns its slots to other masters after you confirm it: its peers cannot declare it failed.';
}

/** Replicas of a master that answer, those with the most keys first. */
function copiesOf({ nodes }: ClusterSnapshot, id: string): readonly RedisNode[] {
  const keysOn = ({ view }: RedisNode): number => view?.keys ?? 0;
  return nodes.filter((node) => node.masterId === id && answers(node)).sort((a, b) => keysOn(b) - keysOn(a));
}

/** What serves the slots of a failed master again without it. */
function successor(snapshot: ClusterSnapshot, { id, role, health, slots }: RedisNode): string | undefined {
  const hasMajority = goneVoters(snapshot) === undefined;
  // Without a majority, or without its address, no node is declared failed, however dead.
  const isWaitedFor = health !== 'failed' && canBeDeclaredFailed(snapshot, id);
  if (role !== 'master' || slots.length === 0 || isWaitedFor) return undefined;
  if (isSeenByPeers(snapshot, id)) return undefined;
  const copies = copiesOf(snapshot, id);
  const [first] = copies;
  if (first === undefined) return undefined;
  if (first.view?.keys === 0) {
    return `Start its server again with its data: ${copiesText(copies)} cannot replace it if it held keys. Otherwise “Promote Replica…” makes ${nodeName(first)} the master of its slots.`;
  }
  if (hasMajority && health !== 'failed')
    return `If it is gone for good, “Promote Replica…” makes ${nodeName(first)} the master of its slots: ${copiesText(copies)}.`;
  return hasMajority
    ? `If ${nodeName(first)} does not take over by itself within seconds, “Promote Replica…” promotes it: ${copiesText(copies)}.`
    : `Most masters do not answer, so no replica can be elected. If this one is gone for good, “Promote Replica…” makes ${nodeName(first)} the master of its slots: ${copiesText(copies)} ${copies.length === 1 ? 'has' : 'have'} its data.`;
}

/**
 * The voters that are gone where they are too many for an election. One that only this machine does not reach votes:
 * other nodes are connected to it.
 */
function goneVoters(snapshot: ClusterSnapshot): readonly RedisNode[] | undefined {
  const { all, silent } = votersOf(snapshot);
  const gone = silent.filter(({ id }) => !isSeenByPeers(snapshot, id));
  return gone.length === 0 || (all.length - gone.length) * 2 > all.length ? undefined : gone;
}

/** Most masters that vote are gone: nobody is elected, however healthy the replicas are. */
function withoutMajority(snapshot: ClusterSnapshot): readonly Finding[] {
  const { all } = votersOf(snapshot);
  const failed = goneVoters(snapshot);
  if (failed === undefined) return [];
  const copies = failed.flatMap(({ id }) => copiesOf(snapshot, id));
  const have =
    copies.length === 0
      ? 'no replica of theirs answers'
      : `${shortList(copies.map(nodeName))} ${copies.length === 1 ? 'has' : 'have'} their data`;
  return [
    {
      rule: 'no-majority',
      severity: 'error',
      message: `${failed.length} of ${quantity(all.length, 'voting master')} are gone (${shortList(failed.map(nodeName))}), so no replica can be elected; ${have}.`,
      evidence: failed.map((node) => {
        const own = copiesOf(snapshot, node.id);
        return `${nodeName(node)}: ${slotsText(node.slots)}, ${own.length === 0 ? 'no replica of it answers' : copiesText(own)}`;
      }),
      remedy: [
        ...new Set(failed.flatMap((node) => wayBack(snapshot, node) ?? [])),
        'Bringing back one of them is enough.',
        ...(copies.length === 0
          ? []
          : [
              'If they are dead for good, “Promote Replica…” with a takeover needs no votes: Kubernetes or you must confirm that they are dead.',
            ]),
      ].join(' '),
      nodeIds: failed.map(({ id }) => id),
    },
  ];
}

function scaledDown(snapshot: ClusterSnapshot): readonly Finding[] {
  const gone = scaledBelow(snapshot);
  if (gone === undefined || snapshot.apiProblem !== undefined) return [];
  const { workload, nodes } = gone;
  const served = nodes.some(({ slots }) => slots.length > 0);
  return [
    {
      rule: 'scaled-down',
      severity: served ? 'error' : 'warning',
      message: `StatefulSet ${workload.name} has spec.replicas ${workload.replicas}, and the cluster has ${quantity(memberCount(snapshot), 'member')}.`,
      evidence: nodes.map(
        (node) =>
          `${nodeName(node)} (${node.role}, ${node.slots.length === 0 ? 'no slots' : slotsText(node.slots)}) has no pod`,
      ),
      remedy: scaleBackRemedy(gone, snapshot),
      nodeIds: nodes.map(({ id }) => id),
    },
  ];
}
