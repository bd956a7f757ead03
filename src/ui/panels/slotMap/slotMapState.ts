import { check } from '../../../checks/check.ts';
import { isKubernetesRef, formatAddress } from '../../../model/clusterRef.ts';
import type { Finding } from '../../../model/finding.ts';
import { withInfo } from '../../../model/nodeView.ts';
import { nodeName, shardsOf, slotsText, uncoveredSlots } from '../../../model/shards.ts';
import { allSlots, countSlots, formatSlots, unionSlots, type SlotSet } from '../../../model/slots.ts';
import type { ClusterSnapshot, RedisNode, RunningWork, Shard } from '../../../model/snapshot.ts';
import { asSentence, isUnread, mayNeedSignIn } from '../../../model/unread.ts';
import type { ClusterWork } from '../../tree/clusterRow.ts';
import type { ContestedSlots, ShardState, SlotMapState } from './messages.ts';
import { contestedSlots, movingSlots } from './openSlots.ts';
import { runningState } from './runningState.ts';
import { colourShards, type ShardColours } from './shardColours.ts';

/**
 * What the slot map shows of a snapshot. `colours` keeps the shards' colours over snapshots, and `order` their order
 * while something runs: a list that is re-sorted while slots move is hard to read.
 */
export function slotMapState(
  snapshot: ClusterSnapshot,
  colours: ShardColours = colourShards(shardsOf(snapshot)),
  work: Pick<ClusterWork, 'own' | 'all'> = { all: [] },
  order: readonly string[] = [],
): SlotMapState {
  const running = runningState(work);
  const shards = running === undefined ? shardsOf(snapshot) : inOrder(shardsOf(snapshot), order);
  const findings = check(snapshot, work.all);
  const expected = findings.filter((finding) => finding.expected === true);
  const isHeardOf = expected.some(({ rule }) => rule === 'agreement');
  const contested = contestedSlots(shards, isHeardOf ? slotsOfWork(work.all) : []);
  return {
    ref: snapshot.ref,
    name: snapshot.name,
    where: isKubernetesRef(snapshot.ref)
      ? `context ${snapshot.ref.context} · namespace ${snapshot.ref.namespace}`
      : snapshot.ref.addresses.join(', '),
    takenAt: snapshot.takenAt,
    standing: standingOf(snapshot, shards),
    mayNeedSignIn: mayNeedSignIn(snapshot),
    shards: shards.map((shard) => shardState(shard, colours.get(shard.id) ?? 0)),
    uncovered: uncoveredSlots(snapshot),
    moving: movingSlots(snapshot),
    openIsExpected: expected.some(({ rule }) => rule === 'open-slots'),
    contested,
    problems: problemsOf(snapshot, shards, contested, findings),
    expected: expected.filter(({ rule }) => !ofMoves.includes(rule)).map(({ message }) => message),
    ...(running === undefined ? {} : { running }),
  };
}

/** The slots that what runs gives to others: servers are not read at the same moment, so two may be seen to own them. */
function slotsOfWork(all: readonly RunningWork[]): SlotSet {
  return unionSlots(...all.map(({ slots }) => slots ?? allSlots));
}

/** Rules about slot migration, which the map itself shows. */
const ofMoves: readonly string[] = ['open-slots', 'agreement'];

/** Shards in the order in which they were shown; new ones come last. */
function inOrder(shards: readonly Shard[], order: readonly string[]): readonly Shard[] {
  const place = new Map(order.map((id, index) => [id, index]));
  return shards.toSorted((a, b) => (place.get(a.id) ?? order.length) - (place.get(b.id) ?? order.length));
}

function standingOf(snapshot: ClusterSnapshot, shards: readonly Shard[]): SlotMapState['standing'] {
  if (isUnread(snapshot)) return 'unreachable';
  return shards.every((shard) => shard.slots.length === 0) ? 'empty' : 'known';
}

function shardState(shard: Shard, colour: number): ShardState {
  const { id, master, slots } = shard;
  const replicas = shard.replicas.map((replica) => ({ name: nodeName(replica), health: replica.health }));
  const known = { id, colour, slots, count: countSlots(slots), replicas };
  if (master === undefined) {
    return { ...known, label: id.slice(0, 8), health: 'unknown', healthText: 'Unknown master' };
  }
  const keys = withInfo(master.view)?.keys;
  return {
    ...known,
    label: nodeName(master),
    ...(master.pod === undefined || master.host === '' ? {} : { address: formatAddress(master) }),
    ...(keys === undefined ? {} : { keys }),
    health: master.health,
    healthText: healthText(master),
  };
}

function healthText(master: RedisNode): string {
  switch (master.health) {
    case 'ok':
      return 'Healthy';
    case 'failed':
      return 'Master failed';
    case 'unreachable':
      return 'Master does not answer';
    case 'degraded':
      if (master.view?.loading === true) return 'Loading data';
      return master.view?.clusterState === 'fail' ? 'Cluster state: fail' : 'Degraded';
  }
}

/** Rules about the cluster as a whole, of which the map itself shows nothing. */
const ofTheWhole: readonly string[] = ['unread', 'mutual', 'apart', 'impostor', 'merged', 'not-formed'];

function uncoveredProblem(
  snapshot: ClusterSnapshot,
  shards: readonly Shard[],
  expected: readonly Finding[],
): readonly string[] {
  const uncovered = uncoveredSlots(snapshot);
  if (uncovered.length === 0 || shards.every((shard) => shard.slots.length === 0)) return [];
  if (expected.some(({ rule }) => rule === 'coverage')) return [];
  return [`${slotsText(uncovered)} not covered by any master: ${shortSlots(formatSlots(uncovered))}.`];
}

function problemsOf(
  snapshot: ClusterSnapshot,
  shards: readonly Shard[],
  contested: readonly ContestedSlots[],
  findings: readonly Finding[],
): readonly string[] {
  const problems: string[] = findings
    .filter(({ rule, expected }) => ofTheWhole.includes(rule) && expected !== true)
    .flatMap(({ rule, message, evidence }) =>
      rule === 'unread' ? [[message, ...evidence.map(asSentence)].join(' ')] : [message],
    );
  const expected = findings.filter((finding) => finding.expected === true);
  const isExpected = ({ id }: RedisNode): boolean =>
    expected.some(({ rule, nodeIds }) => rule === 'reachable' && nodeIds.includes(id));
  problems.push(...uncoveredProblem(snapshot, shards, expected));
  const failed = new Set<RedisNode>();
  for (const { master, slots } of shards) {
    if (master?.health !== 'failed' || slots.length === 0) continue;
    failed.add(master);
    problems.push(`${nodeName(master)} has failed: ${slotsText(slots)} not served.`);
  }
  const names = new Map(snapshot.nodes.map((node) => [node.id, nodeName(node)]));
  for (const { slots, owner, other } of contested) {
    const claim = `${names.get(owner) ?? owner} and ${names.get(other) ?? other} both claim ${slotsText(slots)}`;
    problems.push(`${claim}: ${shortSlots(formatSlots(slots))}.`);
  }
  for (const node of snapshot.nodes) {
    if (node.unreachable === undefined || isExpected(node) || failed.has(node)) continue;
    const { message } = node.unreachable;
    // Of most servers it says the name itself.
    const name = nodeName(node);
    problems.push(asSentence(message.includes(name) ? message : `${name} does not answer: ${message}`));
  }
  if (snapshot.apiProblem !== undefined) {
    problems.push(
      `${asSentence(`The Kubernetes API does not answer: ${snapshot.apiProblem}`)} The map shows what the servers report.`,
    );
  }
  return problems;
}

/** A list of ranges that may run to thousands, cut to a length one can read. */
function shortSlots(text: string): string {
  if (text.length <= 60) return text;
  return `${text.slice(0, text.lastIndexOf(',', 60))} …`;
}
