import { quantity } from '../../model/quantity.ts';
import { check } from '../../checks/check.ts';
import { clusterKey, isKubernetesRef } from '../../model/clusterRef.ts';
import { partsWithData } from '../../model/parts.ts';
import type { Finding } from '../../model/finding.ts';
import {
  failedSlots,
  mastersOf,
  nodeName,
  shardsOf,
  slotsText,
  uncoveredSlots,
  unverifiedSlots,
} from '../../model/shards.ts';
import type { ClusterSnapshot, PodFacts, RedisNode, RunningWork, Shard } from '../../model/snapshot.ts';
import { allSlots, countSlots, formatSlots, subtractSlots, type SlotSet } from '../../model/slots.ts';
import type { Unfinished } from '../../operations/journal.ts';
import { stateDescription, stateIcons, stateOf, stateTooltip } from './clusterState.ts';
import { nodeRow } from './nodeRow.ts';
import { operationRow, runningIcon, runningText, type RunningOperation } from './operationRow.ts';
import { partRow } from './partRow.ts';
import { isUnformed } from '../../model/unformed.ts';
import { hasEnded, podsOf } from '../../model/endedPods.ts';
import { unfinishedRows } from './unfinishedRow.ts';
import { errorIcon, warningIcon, type Row } from './row.ts';

/** What is known of a cluster beside its snapshot. */
export interface ClusterWork {
  /** The operation of this window that runs on it. */
  readonly own?: RunningOperation;
  /** All work that explains findings, this window's too. */
  readonly all: readonly RunningWork[];
  /** Operations that ended with steps left, the newest first. */
  readonly unfinished?: readonly Pick<Unfinished, 'id' | 'end' | 'steps' | 'title' | 'lastAt'>[];
}

/** A cluster with everything under it: what is wrong first, then its shards, then nodes, masters, replicas and slots. */
export function clusterRow(snapshot: ClusterSnapshot, work: ClusterWork, expanded = false): Row {
  const id = clusterKey(snapshot.ref);
  const findings = check(snapshot, work.all);
  const state = stateOf(snapshot, findings);
  const shards = shardsOf(snapshot);
  const apart = partsWithData(snapshot);
  const inParts = new Set(apart.flatMap(({ nodes }) => nodes.map(({ pod }) => pod?.uid)));
  const loose = snapshot.loosePods.filter(({ uid }) => !inParts.has(uid));
  const silent = new Set(snapshot.unread.flatMap(({ pod }) => pod?.uid ?? []));
  return {
    id,
    label: snapshot.name,
    description: stateDescription(snapshot, state, shards.length, runningText(work)),
    tooltip: stateTooltip(snapshot, findings, state, work.all),
    // What runs never hides what it does not explain.
    icon: (state === 'ok' ? runningIcon(work) : undefined) ?? stateIcons[state],
    facets: [
      'cluster',
      state,
      isKubernetesRef(snapshot.ref) ? 'kubernetes' : 'address',
      ...(isUnformed(snapshot) ? ['unformed'] : []),
      ...(podsOf(snapshot).some(hasEnded) ? ['endedPods'] : []),
      ...(work.own === undefined ? [] : ['running']),
    ].join(' '),
    expansion: expanded ? 'expanded' : 'collapsed',
    target: { kind: 'cluster', ref: snapshot.ref },
    children: [
      ...operationRow(id, snapshot.ref, work),
      ...unfinishedRows(id, snapshot.ref, work),
      ...findings.map((finding, index) => findingRow(id, finding, index, snapshot)),
      ...shards.map((shard, index) => shardRow(`${id}/shards/${index + 1}`, snapshot, shard, index)),
      ...apart.map((part, index) => partRow(id, snapshot, part, index)),
      ...loose.map((pod) => podRow(id, pod, silent.has(pod.uid))),
      ...(state === 'unreachable' ? [] : groups(id, snapshot, shards)),
    ],
  };
}

function groups(id: string, snapshot: ClusterSnapshot, shards: readonly Shard[]): readonly Row[] {
  const replicas = snapshot.nodes.filter((node) => node.role === 'replica');
  return [
    nodesGroup(`${id}/nodes`, 'Nodes', 'server', snapshot, snapshot.nodes),
    nodesGroup(`${id}/masters`, 'Masters', 'circle-filled', snapshot, mastersOf(snapshot)),
    nodesGroup(`${id}/replicas`, 'Replicas', 'circle-outline', snapshot, replicas),
    slotsGroup(`${id}/slots`, snapshot, shards),
  ];
}

function findingRow(id: string, finding: Finding, index: number, snapshot: ClusterSnapshot): Row {
  const icons = {
    error: errorIcon,
    warning: warningIcon,
    info: { name: finding.expected === true ? 'watch' : 'info' },
  };
  const node = finding.nodeIds[0];
  return {
    id: `${id}/problems/${finding.rule}/${node ?? index}`,
    label: finding.message,
    spokenFirst: { error: 'Problem', warning: 'Warning', info: 'Note' }[finding.severity],
    tooltip: [
      finding.message,
      ...finding.evidence,
      ...(finding.remedy === undefined ? [] : [`What to do: ${finding.remedy}`]),
    ],
    icon: icons[finding.severity],
    facets: `problem ${finding.severity}`,
    expansion: 'none',
    children: [],
    target: { kind: 'cluster', ref: snapshot.ref },
    click: { command: 'redisCluster.check', title: 'Check Cluster' },
  };
}

function shardRow(id: string, snapshot: ClusterSnapshot, shard: Shard, index: number): Row {
  const { master, replicas, slots } = shard;
  const sick = master?.health !== 'ok';
  const weak = replicas.some((node) => node.health !== 'ok');
  const ranges = slots.length > 3 ? `${slots.length} ranges` : formatSlots(slots);
  const covered = slots.length === 0 ? 'no slots' : `${ranges} · ${slotsText(slots)}`;
  const name = master === undefined ? `unknown master ${shard.id.slice(0, 8)}` : nodeName(master);
  return {
    id,
    label: `Shard ${index + 1}`,
    description: [
      covered,
      quantity(replicas.length, 'replica'),
      ...(sick ? ['master not well'] : weak ? ['replica not well'] : []),
    ].join(' · '),
    tooltip: [
      `Master: ${name}`,
      `Hash slots: ${slots.length === 0 ? 'none' : formatSlots(slots)}`,
      ...replicas.map((node) => `Replica: ${nodeName(node)}`),
    ],
    icon: sick ? errorIcon : weak ? warningIcon : { name: 'layers' },
    facets: 'shard',
    expansion: 'collapsed',
    children: [
      ...(master === undefined ? [] : [nodeRow(id, snapshot, master)]),
      ...replicas.map((node) => nodeRow(id, snapshot, node)),
      ...slots.map((range) => rangeRow(`${id}/slots`, [range], undefined)),
    ],
  };
}

function nodesGroup(
  id: string,
  label: string,
  icon: string,
  snapshot: ClusterSnapshot,
  nodes: readonly RedisNode[],
): Row {
  const well = nodes.filter((node) => node.health === 'ok').length;
  return {
    id,
    label,
    description: well === nodes.length ? String(nodes.length) : `${well} of ${nodes.length} ok`,
    icon: { name: icon },
    facets: 'group',
    expansion: nodes.length === 0 ? 'none' : 'collapsed',
    children: nodes.map((node) => nodeRow(id, snapshot, node)),
  };
}

function slotsGroup(id: string, snapshot: ClusterSnapshot, shards: readonly Shard[]): Row {
  const [uncovered, failed] = [uncoveredSlots(snapshot), failedSlots(snapshot)];
  const unverified = unverifiedSlots(snapshot);
  const ranges = shards
    .flatMap(({ master, slots }) => slots.map((range) => ({ range, master })))
    .sort((a, b) => a.range[0] - b.range[0]);
  const covered = countSlots(subtractSlots(allSlots, uncovered)).toLocaleString('en-US');
  return {
    id,
    label: 'Slots',
    description: [
      uncovered.length === 0 ? `${covered} covered` : `${covered} of 16,384 covered`,
      ...(failed.length === 0 ? [] : [`${slotsText(failed)} of failed masters`]),
      ...(unverified.length === 0 ? [] : [`${slotsText(unverified)} not verified`]),
    ].join(' · '),
    icon:
      uncovered.length === 0 && failed.length === 0 && unverified.length === 0
        ? { name: 'symbol-array' }
        : errorIcon,
    facets: 'slots',
    expansion: 'collapsed',
    target: { kind: 'cluster', ref: snapshot.ref },
    children: [
      ...uncovered.map((range) => uncoveredRow(id, [range])),
      ...ranges.map(({ range, master }) =>
        rangeRow(id, [range], master === undefined ? '' : nodeName(master)),
      ),
    ],
  };
}

function rangeRow(parent: string, slots: SlotSet, owner: string | undefined): Row {
  return {
    id: `${parent}/${slots[0]?.[0] ?? 0}`,
    label: formatSlots(slots),
    description: [slotsText(slots), ...(owner === undefined ? [] : [owner])].join(' · '),
    icon: { name: 'symbol-array' },
    facets: 'range',
    expansion: 'none',
    children: [],
  };
}

function uncoveredRow(parent: string, slots: SlotSet): Row {
  const row = rangeRow(`${parent}/uncovered`, slots, 'not covered');
  return { ...row, icon: errorIcon, facets: 'range uncovered' };
}

function podRow(id: string, pod: PodFacts, isSilent: boolean): Row {
  const running = isSilent ? 'not read' : 'not in the cluster yet';
  const why = pod.reason ?? (pod.phase === 'Running' ? running : pod.phase);
  return {
    id: `${id}/pods/${pod.name}`,
    label: pod.name,
    description: `pod · ${why}`,
    tooltip: [
      `Pod ${pod.name}: ${pod.phase}`,
      ...(pod.reasonMessage === undefined ? [] : [pod.reasonMessage]),
    ],
    icon: pod.reason === undefined ? { name: 'ellipsis' } : warningIcon,
    facets: 'pod',
    expansion: 'none',
    children: [],
  };
}
