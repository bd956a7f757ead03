import { broadcast, follow } from './bus.ts';
import { isFree } from './failover.ts';
import { apply, claimsOf, isMasterFor, unitOf, type SimNode } from './node.ts';
import type { World } from './world.ts';

/** CLUSTER SETSLOT, as clusterCommand does it; throws the error reply. */
export function setSlot(world: World, node: SimNode, slot: number, verb: string, id: string): void {
  if (node.role === 'replica') throw new Error('ERR Please use SETSLOT only with masters.');
  const unit = unitOf(world.units, slot);
  const [start, end] = world.units[unit] ?? [0, 0];
  if (start !== end) throw new RangeError(`slot ${slot} is none of those that move in this simulation`);
  refuse(node, unit, slot, verb, id);
  if (world.flavour.replicatesSetSlot) {
    for (const replica of world.nodes) {
      if (replica.role !== 'replica' || replica.masterId !== node.id || replica.unsynced || !isFree(replica))
        continue;
      for (const entry of node.stream.slice(replica.applied)) apply(replica, entry);
      replica.applied = node.stream.length;
      assign(world, replica, node.id, unit, slot, verb, id);
    }
  }
  const wasImporting = node.importing.has(slot);
  assign(world, node, node.id, unit, slot, verb, id);
  if (verb === 'NODE' && id === node.id && wasImporting) {
    bumpEpoch(node);
    broadcast(world, node);
  }
}

/** A shard that loses its last slot by it becomes replicas of the new owner. */
function assign(
  world: World,
  node: SimNode,
  masterId: string,
  ...[unit, slot, verb, id]: readonly [unit: number, slot: number, verb: string, id: string]
): void {
  const wasOurs = node.owners[unit] === masterId;
  change(node, unit, slot, verb, id);
  const isLast = verb === 'NODE' && wasOurs && id !== masterId && claimsOf(node, masterId) === 0;
  if (isLast && world.flavour.allowReplicaMigration) follow(node, id);
}

function refuse(node: SimNode, unit: number, slot: number, verb: string, id: string): void {
  const refusal =
    verb === 'STABLE' ? undefined : (refusalOfOwner(node, unit, slot, verb) ?? refusalOfPeer(node, verb, id));
  if (refusal !== undefined) throw new Error(refusal);
  const leaves = verb === 'NODE' && node.owners[unit] === node.id && id !== node.id;
  if (leaves && (node.keys[unit]?.size ?? 0) > 0) {
    throw new Error(
      `ERR Can't assign hashslot ${slot} to a different node while I still hold keys for this hash slot.`,
    );
  }
}

function refusalOfOwner(node: SimNode, unit: number, slot: number, verb: string): string | undefined {
  const owns = node.owners[unit] === node.id;
  if (verb === 'MIGRATING' && !owns) return `ERR I'm not the owner of hash slot ${slot}`;
  return verb === 'IMPORTING' && owns ? `ERR I'm already the owner of hash slot ${slot}` : undefined;
}

function refusalOfPeer(node: SimNode, verb: string, id: string): string | undefined {
  if (id !== node.id && !node.peers.has(id)) {
    return verb === 'NODE' ? `ERR Unknown node ${id}` : `ERR I don't know about node ${id}`;
  }
  return isMasterFor(node, id) ? undefined : 'ERR Target node is not a master';
}

function change(node: SimNode, unit: number, slot: number, verb: string, id: string): void {
  switch (verb) {
    case 'MIGRATING':
      node.migrating.set(slot, id);
      return;
    case 'IMPORTING':
      node.importing.set(slot, id);
      return;
    case 'STABLE':
      node.migrating.delete(slot);
      node.importing.delete(slot);
      return;
    case 'NODE':
      if ((node.keys[unit]?.size ?? 0) === 0) node.migrating.delete(slot);
      node.owners[unit] = id;
      if (id === node.id || id === node.masterId) node.importing.delete(slot);
      return;
    default:
      throw new Error('ERR Invalid CLUSTER SETSLOT action or number of arguments');
  }
}

/** A new config epoch without asking anybody, unless this node has the greatest already. */
export function bumpEpoch(node: SimNode): boolean {
  let greatest = node.currentEpoch;
  for (const peer of node.peers.values()) greatest = Math.max(greatest, peer.configEpoch);
  greatest = Math.max(greatest, node.configEpoch);
  if (node.configEpoch !== 0 && node.configEpoch === greatest) return false;
  node.currentEpoch = greatest + 1;
  node.configEpoch = node.currentEpoch;
  return true;
}
