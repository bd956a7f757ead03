import { survivability, impactText } from '../../checks/survivability.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import { quantity } from '../../model/quantity.ts';
import { mastersOf, nodeName, shardsOf, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode, Shard } from '../../model/snapshot.ts';
import { formatSlots } from '../../model/slots.ts';
import { nodeRow, stateText } from './nodeRow.ts';
import { errorIcon, warningIcon, type Row, type RowIcon } from './row.ts';
import { rangeRow } from './slotsRow.ts';

/** How the nodes of each cluster are listed: by shard, by role, or by the machine that they run on. */
export const groupings = ['shards', 'roles', 'machines'] as const;
export type Grouping = (typeof groupings)[number];

export function groupedRows(id: string, snapshot: ClusterSnapshot, grouping: Grouping): readonly Row[] {
  switch (grouping) {
    case 'shards':
      return shardsOf(snapshot).map((shard, index) =>
        shardRow(`${id}/shards/${index + 1}`, snapshot, shard, index),
      );
    case 'roles':
      return roleRows(id, snapshot);
    case 'machines':
      return machineRows(id, snapshot);
  }
}

function shardRow(id: string, snapshot: ClusterSnapshot, shard: Shard, index: number): Row {
  const { master, replicas, slots } = shard;
  const hasReplica = replicas.length > 0;
  const size = slots.length === 0 ? 'no slots' : slotsText(slots);
  const ranges = slots.length > 3 ? `${slots.length} ranges` : formatSlots(slots);
  const name = master === undefined ? `unknown master ${shard.id.slice(0, 8)}` : nodeName(master);
  return {
    id,
    label: `Shard ${index + 1}`,
    description: [
      ...troubleIn(shard),
      ...(hasReplica ? [size, quantity(replicas.length, 'replica')] : ['no replica', size]),
      ...(slots.length === 0 ? [] : [ranges]),
    ].join(' · '),
    tooltip: [
      `Master: ${name}`,
      `Hash slots: ${slots.length === 0 ? 'none' : formatSlots(slots)}`,
      ...replicas.map((node) => `Replica: ${nodeName(node)}`),
    ],
    icon: iconOf(shard),
    facets: 'shard',
    expansion: 'collapsed',
    ...(master === undefined ? {} : { target: { kind: 'node', ref: snapshot.ref, nodeId: master.id } }),
    children: [
      ...(master === undefined ? [] : [nodeRow(id, snapshot, master)]),
      ...replicas.map((node) => nodeRow(id, snapshot, node)),
      ...slots.map((range) => rangeRow(`${id}/slots`, snapshot.ref, range)),
    ],
  };
}

function isSilent({ health }: RedisNode): boolean {
  return health === 'failed' || health === 'unreachable';
}

/** A master that answers reports what is wrong with the whole cluster, too. */
function troubleIn({ master, replicas }: Shard): readonly string[] {
  const state = master === undefined ? undefined : stateText(master);
  if (master !== undefined && state !== undefined) return [isSilent(master) ? `master ${state}` : state];
  return replicas.some(({ health }) => health !== 'ok') ? ['replica unhealthy'] : [];
}

function iconOf(shard: Shard): RowIcon {
  if (shard.master === undefined || isSilent(shard.master)) return errorIcon;
  return troubleIn(shard).length > 0 ? warningIcon : { name: 'layers' };
}

function roleRows(id: string, snapshot: ClusterSnapshot): readonly Row[] {
  const replicas = snapshot.nodes.filter((node) => node.role === 'replica');
  const roles = [
    { name: 'masters', label: 'Masters', icon: 'circle-filled', nodes: mastersOf(snapshot) },
    { name: 'replicas', label: 'Replicas', icon: 'circle-outline', nodes: replicas },
  ];
  return roles.map(({ name, label, icon, nodes }) => {
    const healthy = nodes.filter((node) => node.health === 'ok').length;
    return {
      id: `${id}/${name}`,
      label,
      description: healthy === nodes.length ? String(nodes.length) : `${healthy} of ${nodes.length} healthy`,
      icon: { name: icon },
      facets: 'group',
      expansion: nodes.length === 0 ? 'none' : 'expanded',
      children: nodes.map((node) => nodeRow(`${id}/${name}`, snapshot, node)),
    };
  });
}

/** One row for each Kubernetes node, or host outside Kubernetes, with what its failure would mean. */
function machineRows(id: string, snapshot: ClusterSnapshot): readonly Row[] {
  const impacts = new Map(
    survivability(snapshot)
      .filter(({ place }) => place.kind === 'worker')
      .map((impact) => [impact.place.name, impact]),
  );
  const machines = [...Map.groupBy(snapshot.nodes, (node) => machineOf(snapshot, node))];
  return machines
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, nodes]) => {
      const impact = impacts.get(name);
      const stops = impact !== undefined && impact.lost.length > 0;
      const masters = nodes.filter(({ role }) => role === 'master').length;
      const counted = [
        ...(masters === 0 ? [] : [quantity(masters, 'master')]),
        ...(masters === nodes.length ? [] : [quantity(nodes.length - masters, 'replica')]),
      ];
      return {
        id: `${id}/machines/${name}`,
        label: name,
        description: [
          ...(stops ? [`its failure stops ${slotsText(impact.lostSlots)}`] : []),
          counted.join(', '),
        ].join(' · '),
        tooltip: [name, ...(impact === undefined ? [] : [impactText(impact)])],
        icon: stops ? warningIcon : { name: 'server' },
        facets: 'machine',
        expansion: 'expanded',
        children: nodes.map((node) => nodeRow(`${id}/machines/${name}`, snapshot, node)),
      };
    });
}

function machineOf({ ref }: ClusterSnapshot, { pod, host }: RedisNode): string {
  if (isKubernetesRef(ref)) return pod === undefined ? 'No pod' : (pod.worker ?? 'Not scheduled');
  return host === '' ? 'No address' : host;
}
