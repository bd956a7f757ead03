import { formatSlots } from '../../src/model/slots.ts';
import { bytesPerEntry, servesAll, totalKeys, type SimNode, type Units } from './node.ts';
import type { World } from './world.ts';

// The texts by which servers tell of themselves, as far as the product reads them.

export function clusterNodes(world: World, node: SimNode): string {
  const own = [...openTexts(node.migrating, '->-'), ...openTexts(node.importing, '-<-')];
  const lines = [
    lineOf(world, node, node, `myself,${flagOf(node)}`, node.masterId, node.configEpoch, own),
    ...[...node.peers.values()].map((peer) => {
      const other = world.nodes[peer.number];
      if (other === undefined) throw new RangeError(`there is no node ${peer.number}`);
      const flags = `${flagOf(peer)}${peer.failed ? ',fail' : ''}`;
      return lineOf(world, node, { ...other, id: peer.id }, flags, peer.masterId, peer.configEpoch, []);
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function flagOf({ role }: Pick<SimNode, 'role'>): string {
  return role === 'master' ? 'master' : 'slave';
}

function lineOf(
  world: World,
  asked: SimNode,
  { id, host, port, alive }: SimNode,
  flags: string,
  masterId: string | undefined,
  epoch: number,
  open: readonly string[],
): string {
  const slots = textsOf(world.units).filter((_, unit) => asked.owners[unit] === id);
  const link = alive ? 'connected' : 'disconnected';
  const address = `${host}:${port}@${port + 10_000}`;
  return [id, address, flags, masterId ?? '-', 0, 0, epoch, link, ...slots, ...open].join(' ');
}

const unitTexts = new WeakMap<Units, readonly string[]>();

function textsOf(units: Units): readonly string[] {
  const texts = unitTexts.get(units) ?? units.map((range) => formatSlots([range]));
  unitTexts.set(units, texts);
  return texts;
}

function openTexts(slots: ReadonlyMap<number, string>, arrow: '->-' | '-<-'): readonly string[] {
  return [...slots].map(([slot, id]) => `[${slot}${arrow}${id}]`);
}

export function clusterInfo(world: World, node: SimNode): string {
  const assigned = world.units
    .filter((_, unit) => node.owners[unit] !== undefined)
    .reduce((sum, [start, end]) => sum + end - start + 1, 0);
  return [
    `cluster_state:${servesAll(node) ? 'ok' : 'fail'}`,
    `cluster_slots_assigned:${assigned}`,
    `cluster_known_nodes:${node.peers.size + 1}`,
    `cluster_size:${new Set(node.owners).size}`,
    `cluster_current_epoch:${node.currentEpoch}`,
    `cluster_my_epoch:${node.configEpoch}`,
    '',
  ].join('\r\n');
}

export function info(world: World, node: SimNode): string {
  const { product, version } = world.flavour;
  const keys = totalKeys(node);
  return [
    'redis_version:7.0.15',
    ...(product === 'valkey' ? ['server_name:valkey', `valkey_version:${version}`] : []),
    'uptime_in_seconds:1000',
    'used_memory:1000000',
    'maxmemory:0',
    'maxmemory_policy:noeviction',
    'loading:0',
    ...replication(world, node),
    ...(keys === 0 ? [] : [`db0:keys=${keys},expires=0,avg_ttl=0`]),
    '',
  ].join('\r\n');
}

function replication(world: World, node: SimNode): readonly string[] {
  if (node.role === 'replica') {
    const master = world.nodes.find(({ id }) => id === node.masterId);
    return [
      'role:slave',
      `master_link_status:${master?.alive === true && !node.unsynced ? 'up' : 'down'}`,
      `master_sync_in_progress:${node.unsynced ? 1 : 0}`,
      `slave_repl_offset:${node.applied * bytesPerEntry}`,
      `master_repl_offset:${node.applied * bytesPerEntry}`,
    ];
  }
  const replicas = world.nodes.filter((other) => other.alive && other.masterId === node.id);
  return [
    'role:master',
    `connected_slaves:${replicas.length}`,
    ...replicas.map(({ host, port, applied, unsynced }, index) => {
      const state = unsynced ? 'wait_bgsave' : 'online';
      return `slave${index}:ip=${host},port=${port},state=${state},offset=${applied * bytesPerEntry},lag=0`;
    }),
    `master_repl_offset:${node.stream.length * bytesPerEntry}`,
  ];
}
