import { agoText } from '../../model/ago.ts';
import { quantity } from '../../model/quantity.ts';
import { bytesText, copyText } from '../../model/bytes.ts';
import { formatAddress, isKubernetesRef } from '../../model/clusterRef.ts';
import { withInfo } from '../../model/nodeView.ts';
import { nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots } from '../../model/slots.ts';
import { errorIcon, viaExecText, warningIcon, type Row, type RowIcon } from './row.ts';

/** One node, under whichever parent it is listed. */
export function nodeRow(parent: string, snapshot: ClusterSnapshot, node: RedisNode): Row {
  return {
    id: `${parent}/${node.id}`,
    label: nodeName(node),
    description: description(node),
    tooltip: tooltip(snapshot, node),
    icon: icon(node),
    facets: facets(snapshot, node),
    expansion: 'none',
    children: [],
    target: { kind: 'node', ref: snapshot.ref, nodeId: node.id },
  };
}

function description(node: RedisNode): string {
  const parts: string[] = [stateText(node) ?? node.role];
  if (stateText(node) !== undefined) parts.push(node.role);
  if (node.slots.length > 0) parts.push(slotsText(node.slots));
  else if (node.role === 'master') parts.push('no slots');
  const view = withInfo(node.view);
  if (node.view !== undefined && view === undefined) parts.push('INFO denied');
  if (view !== undefined) {
    parts.push(quantity(view.keys, 'key'), bytesText(view.usedMemoryBytes));
    if (node.role === 'replica' && (node.lagBytes ?? 0) > 1024)
      parts.push(`lag ${bytesText(node.lagBytes ?? 0)}`);
  }
  return parts.join(' · ');
}

/** The state of a node that is not healthy. */
/** What is wrong with a node, in a word or two. */
export function stateText(node: RedisNode): string | undefined {
  if (node.pod?.deleting === true) return 'terminating';
  switch (node.health) {
    case 'ok':
      return undefined;
    case 'failed':
      return 'failed';
    case 'unreachable':
      return 'unreachable';
    case 'degraded':
      return degradedText(node);
  }
}

function degradedText({ view }: RedisNode): string {
  if (view?.loading === true) return 'loading';
  const otherwise = view?.replication.linkUp === false ? 'link to master down' : 'cluster down';
  return (view && copyText(view.replication)) ?? otherwise;
}

function icon(node: RedisNode): RowIcon {
  if (node.health === 'failed') return errorIcon;
  if (node.health === 'unreachable') return { name: 'debug-disconnect', color: 'list.errorForeground' };
  if (node.health === 'degraded' || node.pod?.deleting === true) return warningIcon;
  const name = node.role === 'master' ? 'circle-filled' : 'circle-outline';
  return { name, color: 'testing.iconPassed' };
}

function tooltip(snapshot: ClusterSnapshot, node: RedisNode): readonly string[] {
  const master = snapshot.nodes.find((other) => other.id === node.masterId);
  const replicas = snapshot.nodes.filter((other) => other.masterId === node.id);
  const { pod, unreachable } = node;
  const lines = [
    `Node ${node.id}`,
    `Role: ${node.role}${master === undefined ? '' : ` of ${nodeName(master)}`}`,
    `State: ${stateText(node) ?? 'healthy'}`,
    `Address: ${node.host === '' ? 'none' : formatAddress(node)}`,
  ];
  if (node.slots.length > 0) lines.push(`Hash slots: ${formatSlots(node.slots)} (${slotsText(node.slots)})`);
  if (replicas.length > 0) lines.push(`Replicas: ${replicas.map(nodeName).join(', ')}`);
  lines.push(...viewLines(node));
  if (unreachable !== undefined) lines.push(`Cannot be read: ${unreachable.message}`);
  if (unreachable?.since !== undefined)
    lines.push(`First failed attempt: ${agoText(unreachable.since, snapshot.takenAt)}`);
  if (pod !== undefined) lines.push(...podLines(pod));
  if (node.viaExec === true) lines.push(viaExecText);
  return lines;
}

function viewLines(node: RedisNode): readonly string[] {
  if (node.view === undefined) return [];
  const view = withInfo(node.view);
  if (view === undefined) return ['Keys, memory and version: unknown, INFO is denied'];
  const limit = view.maxMemoryBytes === 0 ? 'no limit' : `of ${bytesText(view.maxMemoryBytes)}`;
  return [
    `Keys: ${view.keys.toLocaleString('en-US')}`,
    `Memory: ${bytesText(view.usedMemoryBytes)} (${limit})`,
    ...(node.lagBytes === undefined ? [] : [`Lag: ${bytesText(node.lagBytes)}`]),
    `Server: ${view.product === 'valkey' ? 'Valkey' : 'Redis'} ${view.version}`,
    `Config epoch: ${node.configEpoch}`,
  ];
}

function podLines(pod: RedisNode['pod'] & object): readonly string[] {
  const state = pod.deleting ? 'being deleted' : pod.ready ? 'ready' : 'not ready';
  return [
    `Pod: ${pod.name} (${state}, ${quantity(pod.restarts, 'restart')})`,
    `Kubernetes node: ${pod.worker ?? 'not scheduled'}`,
    `Image: ${pod.image}`,
    ...(pod.reason === undefined
      ? []
      : [`Reason: ${pod.reason}${pod.reasonMessage === undefined ? '' : ` – ${pod.reasonMessage}`}`]),
  ];
}

function facets(snapshot: ClusterSnapshot, node: RedisNode): string {
  const where = isKubernetesRef(snapshot.ref) ? 'kubernetes' : 'address';
  return ['node', node.role, node.health, where].join(' ');
}
