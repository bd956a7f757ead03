import { broadcast, follow, sendMeet } from './bus.ts';
import { excuse, takeOver } from './failover.ts';
import { claimsOf, totalKeys, type SimNode } from './node.ts';
import { nodeById, type World } from './world.ts';

// CLUSTER MEET, FORGET, REPLICATE, FAILOVER and RESET; each throws the error reply.

/** How long FORGET keeps a node out (CLUSTER_BLACKLIST_TTL); milliseconds. */
const blacklistMs = 60_000;

export function meet(world: World, node: SimNode, host: string, port: number): string {
  const other = world.nodes.find((candidate) => candidate.host === host && candidate.port === port);
  if (other !== undefined && other !== node) sendMeet(world, node, other);
  return 'OK';
}

export function forget(world: World, node: SimNode, id: string): string {
  if (id === node.id) throw new Error("ERR I tried hard but I can't forget myself...");
  if (!node.peers.has(id)) throw new Error(`ERR Unknown node ${id}`);
  if (node.role === 'replica' && node.masterId === id) throw new Error("ERR Can't forget my master!");
  node.peers.delete(id);
  node.forgotten.set(id, world.clock.now() + blacklistMs);
  for (const [unit, owner] of node.owners.entries()) if (owner === id) node.owners[unit] = undefined;
  for (const open of [node.migrating, node.importing]) {
    for (const [slot, peer] of open) if (peer === id) open.delete(slot);
  }
  return 'OK';
}

export function replicateFrom(node: SimNode, id: string): string {
  const peer = node.peers.get(id);
  if (id === node.id) throw new Error("ERR Can't replicate myself");
  if (peer === undefined) throw new Error(`ERR Unknown node ${id}`);
  if (peer.role !== 'master') throw new Error('ERR I can only replicate a master, not a replica.');
  if (node.role === 'master' && (totalKeys(node) > 0 || claimsOf(node, node.id) !== 0)) {
    throw new Error('ERR To set a master the node must be empty and without assigned slots.');
  }
  if (node.masterId !== id || node.role === 'master') follow(node, id);
  return 'OK';
}

export function startFailover(world: World, node: SimNode, how: string): string {
  if (node.role === 'master') throw new Error('ERR You should send CLUSTER FAILOVER to a replica');
  const master = nodeById(world, node.masterId);
  const isFailed = node.masterId !== undefined && node.peers.get(node.masterId)?.failed === true;
  if (how === '' && (isFailed || master?.alive !== true)) {
    throw new Error('ERR Master is down or failed, please use CLUSTER FAILOVER FORCE');
  }
  if (how === 'TAKEOVER' && master !== undefined) {
    excuse(world, master, node);
    takeOver(world, node, master.id);
  } else node.takingOver = how === 'FORCE' ? 'force' : 'handOver';
  return 'OK';
}

/** Ends a failover that was asked for; a handed over master has stopped writing until its replica has everything. */
export function finishFailover(world: World, node: SimNode): void {
  const master = nodeById(world, node.masterId);
  const how = node.takingOver;
  node.takingOver = undefined;
  if (master === undefined || node.role === 'master') return;
  if (how === 'handOver') {
    if (!master.alive || master.role !== 'master') return;
    for (const entry of master.stream.slice(node.applied)) {
      if (entry.kind === 'del') node.keys[entry.unit]?.delete(entry.key);
      else node.keys[entry.unit]?.set(entry.key, entry.value);
    }
    node.applied = master.stream.length;
  } else excuse(world, master, node);
  takeOver(world, node, master.id);
}

let resets = 0;

export function reset(world: World, node: SimNode, how: string): string {
  if (node.role === 'master' && totalKeys(node) > 0) {
    throw new Error("ERR CLUSTER RESET can't be called with master nodes containing keys");
  }
  for (const keys of node.keys) keys.clear();
  node.role = 'master';
  node.masterId = undefined;
  node.stream = [];
  node.applied = 0;
  node.unsynced = false;
  node.takingOver = undefined;
  node.owners.fill(undefined);
  node.migrating.clear();
  node.importing.clear();
  node.peers.clear();
  if (how === 'HARD') {
    resets++;
    node.id = `${resets.toString(16).padStart(8, '0')}${node.id.slice(8)}`;
    node.currentEpoch = 0;
    node.configEpoch = 0;
  }
  broadcast(world, node);
  return 'OK';
}
