import { broadcast, ping } from './bus.ts';
import { apply, claimsOf, epochOf, type SimNode, type Value } from './node.ts';
import { nodeById, type World } from './world.ts';

/** The replica copies all of its master's data and throws its own away. */
export function sync(world: World, replica: SimNode): void {
  const master = nodeById(world, replica.masterId);
  if (master === undefined) return;
  for (const [unit, keys] of replica.keys.entries()) {
    keys.clear();
    for (const [key, value] of master.keys[unit] ?? new Map<string, Value>()) keys.set(key, value);
  }
  copyOpenSlots(world, master, replica);
  replica.applied = master.stream.length;
  replica.unsynced = false;
}

/** Valkey 8 passes open slots on to replicas, so that they stay open when one of these takes over. */
function copyOpenSlots(world: World, master: SimNode, replica: SimNode): void {
  if (!world.flavour.replicatesSetSlot) return;
  replica.migrating.clear();
  replica.importing.clear();
  for (const [slot, id] of master.migrating) replica.migrating.set(slot, id);
  for (const [slot, id] of master.importing) replica.importing.set(slot, id);
}

export function canSync(world: World, replica: SimNode): boolean {
  const master = nodeById(world, replica.masterId);
  return (
    isFree(replica) && replica.unsynced && master !== undefined && isFree(master) && master.role === 'master'
  );
}

/** A server that can do something now: it runs and does not stand still in MIGRATE. */
export function isFree(node: SimNode): boolean {
  return node.alive && node.migration === undefined;
}

/** Takes the next entry of the master's stream. */
export function replicate(world: World, replica: SimNode): void {
  const entry = nodeById(world, replica.masterId)?.stream[replica.applied];
  if (entry === undefined) return;
  apply(replica, entry);
  replica.applied++;
}

export function isBehind(world: World, replica: SimNode): boolean {
  if (replica.role !== 'replica' || replica.unsynced || !isFree(replica)) return false;
  const master = nodeById(world, replica.masterId);
  return (
    master !== undefined &&
    isFree(master) &&
    master.role === 'master' &&
    replica.applied < master.stream.length
  );
}

/** The server dies: what it was doing stays half done, and what it had on its way is gone. */
export function kill(world: World, node: SimNode): void {
  node.alive = false;
  world.hasDied = true;
  for (const other of world.nodes) other.unheard.delete(node.number);
  node.migration = undefined;
  for (const [index, link] of world.links.entries()) {
    const size = world.nodes.length;
    if (Math.floor(index / size) === node.number || index % size === node.number) link.length = 0;
  }
}

/** Starts a dead server again with its data (append-only file, written always) and its nodes.conf. */
export function restart(world: World, node: SimNode): void {
  node.alive = true;
  node.migration = undefined;
  if (node.role === 'replica') node.unsynced = true;
  node.unheard.clear();
  for (const other of world.nodes) {
    if (!other.alive || other === node) continue;
    if (other.role === 'master') node.unheard.add(other.number);
    ping(world, other, node);
  }
  broadcast(world, node);
}

/** Whether the living masters have yet to agree that this dead node has failed. */
export function isUnnoticed(world: World, node: SimNode): boolean {
  return (
    !node.alive && world.nodes.some((other) => other.alive && other.peers.get(node.id)?.failed === false)
  );
}

export function notice(world: World, node: SimNode): void {
  for (const other of world.nodes) {
    const peer = other.alive ? other.peers.get(node.id) : undefined;
    if (peer !== undefined) peer.failed = true;
  }
}

/** Whether a replica would win an election now: its master failed, it has a copy, and most masters would vote for it. */
export function canBeElected(world: World, replica: SimNode): boolean {
  if (replica.role !== 'replica' || replica.unsynced || !isFree(replica)) return false;
  const { masterId } = replica;
  if (masterId === undefined || replica.peers.get(masterId)?.failed !== true) return false;
  const claims = claimsOf(replica, masterId);
  if (claims === 0) return false;
  const voters = new Set(replica.owners);
  const votes = [...voters].filter((id) => {
    const voter = nodeById(world, id);
    return (
      voter !== undefined && isFree(voter) && voter.role === 'master' && votesFor(voter, replica, claims)
    );
  });
  return votes.length * 2 > voters.size;
}

/** A master refuses who claims a slot for which it knows an owner with a newer epoch, and whose master it sees alive. */
function votesFor(voter: SimNode, replica: SimNode, claims: number): boolean {
  const { masterId } = replica;
  if (masterId === undefined || voter.peers.get(masterId)?.failed !== true) return false;
  const epoch = epochOf(replica, masterId);
  return voter.owners.every((owner, unit) => (claims & (1 << unit)) === 0 || epochOf(voter, owner) <= epoch);
}

/** The replica takes its master's place; what it did not have is lost with that one, and noted. */
export function elect(world: World, replica: SimNode): void {
  const master = nodeById(world, replica.masterId);
  if (master === undefined) return;
  excuse(world, master, replica);
  takeOver(world, replica, master.id);
}

/** What a failover without the old master's agreement loses: the entries of its stream that the new master never got. */
export function excuse(world: World, master: SimNode, newMaster: SimNode): void {
  for (const entry of master.stream.slice(newMaster.applied)) {
    world.excused.set(entry.key, entry.kind);
  }
}

export function takeOver(world: World, replica: SimNode, masterId: string): void {
  const claims = claimsOf(replica, masterId);
  replica.role = 'master';
  replica.masterId = undefined;
  replica.stream = [];
  replica.applied = 0;
  replica.currentEpoch++;
  replica.configEpoch = replica.currentEpoch;
  for (const unit of replica.owners.keys())
    if ((claims & (1 << unit)) !== 0) replica.owners[unit] = replica.id;
  broadcast(world, replica);
}
