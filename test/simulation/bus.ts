import { claimsOf, epochOf, type Peer, type SimNode } from './node.ts';
import { linkBetween, nodeById, type Message, type World } from './world.ts';

// What servers tell each other, and what they make of it (cluster.c of Redis 7.0: clusterProcessPacket,
// clusterUpdateSlotsConfigWith, clusterHandleConfigEpochCollision, clusterSetMaster).

function headerOf(node: SimNode, meet = false): Message {
  const master = node.role === 'master' ? node.id : (node.masterId ?? node.id);
  return {
    kind: 'header',
    id: node.id,
    role: node.role,
    masterId: node.masterId,
    currentEpoch: node.currentEpoch,
    configEpoch: epochOf(node, master),
    claims: claimsOf(node, master),
    meet,
  };
}

function isSame(one: Message, other: Message | undefined): boolean {
  if (one.kind !== 'header' || other?.kind !== 'header') return false;
  return (
    one.claims === other.claims &&
    one.configEpoch === other.configEpoch &&
    one.currentEpoch === other.currentEpoch &&
    one.role === other.role &&
    one.masterId === other.masterId &&
    one.id === other.id &&
    one.meet === other.meet
  );
}

function send(world: World, from: SimNode, to: SimNode, message: Message): void {
  if (!from.alive || !to.alive || from === to) return;
  const link = linkBetween(world, from, to);
  if (!isSame(message, link.at(-1))) link.push(message);
}

/** Tells everybody at once, as a node does after it has taken over slots. */
export function broadcast(world: World, from: SimNode): void {
  const header = headerOf(from);
  for (const { number } of from.peers.values()) {
    const to = world.nodes[number];
    if (to !== undefined) send(world, from, to, header);
  }
}

export function ping(world: World, from: SimNode, to: SimNode): void {
  send(world, from, to, headerOf(from));
}

export function sendMeet(world: World, from: SimNode, to: SimNode): void {
  send(world, from, to, headerOf(from, true));
}

/** The pings that nodes send each other all the time; those that would tell nothing new are left out. */
export function pingAll(world: World): void {
  for (const from of world.nodes) {
    if (!from.alive) continue;
    const header = headerOf(from);
    for (const { number } of from.peers.values()) {
      const to = world.nodes[number];
      if (to?.alive === true && linkBetween(world, from, to).length === 0 && isNews(to, header))
        send(world, from, to, header);
    }
  }
}

function isNews(to: SimNode, header: Message): boolean {
  if (header.kind !== 'header') return false;
  const sender = to.peers.get(header.id);
  if (sender === undefined) return false;
  return (
    to.currentEpoch < header.currentEpoch ||
    sender.role !== header.role ||
    sender.masterId !== header.masterId ||
    sender.failed ||
    sender.configEpoch !== header.configEpoch ||
    (header.role === 'master' && to.role === 'master' && to.configEpoch === header.configEpoch) ||
    to.owners.some((owner, unit) => (header.claims & (1 << unit)) !== 0 && owner !== ownerToldBy(header))
  );
}

function ownerToldBy(header: Message & { readonly kind: 'header' }): string | undefined {
  return header.role === 'master' ? header.id : header.masterId;
}

export function receive(world: World, node: SimNode, from: number, message: Message): void {
  node.unheard.delete(from);
  if (message.kind === 'update') {
    receiveUpdate(world, node, message);
    return;
  }
  const sender = senderOf(world, node, message);
  if (sender === undefined) return;
  node.currentEpoch = Math.max(node.currentEpoch, message.currentEpoch);
  sender.configEpoch = Math.max(sender.configEpoch, message.configEpoch);
  if (message.role === 'replica' && sender.role === 'master') {
    for (const [unit, owner] of node.owners.entries()) if (owner === sender.id) node.owners[unit] = undefined;
  }
  sender.role = message.role;
  sender.masterId = message.masterId;
  sender.failed = false;
  if (message.role === 'master') claim(world, node, sender.id, message.configEpoch, message.claims);
  leaveSubReplica(node);
  correct(world, node, message);
  collide(world, node, sender, message.configEpoch);
}

/** A replica whose master has become a replica itself follows that one's master. */
function leaveSubReplica(node: SimNode): void {
  const master =
    node.role === 'replica' && node.masterId !== undefined ? node.peers.get(node.masterId) : undefined;
  if (master?.role !== 'replica' || master.masterId === undefined || master.masterId === node.id) return;
  follow(node, master.masterId);
}

function senderOf(
  world: World,
  node: SimNode,
  { id, meet }: Message & { readonly kind: 'header' },
): Peer | undefined {
  const known = node.peers.get(id);
  const from = nodeById(world, id);
  if (known !== undefined || from === undefined || !meet) return known;
  if ((node.forgotten.get(id) ?? 0) > world.clock.now()) return undefined;
  introduce(node, from);
  introduce(from, node);
  return node.peers.get(id);
}

function introduce(node: SimNode, { id, number, role, masterId }: SimNode): void {
  if (id === node.id || node.peers.has(id)) return;
  node.peers.set(id, { id, number, role, masterId, configEpoch: 0, failed: false });
}

/** A sender that claims slots of which this node knows a newer owner is told about that one. */
function correct(world: World, node: SimNode, message: Message & { readonly kind: 'header' }): void {
  const told = ownerToldBy(message);
  for (const [unit, owner] of node.owners.entries()) {
    if ((message.claims & (1 << unit)) === 0 || owner === undefined || owner === told) continue;
    const configEpoch = epochOf(node, owner);
    if (configEpoch <= message.configEpoch) continue;
    const from = nodeById(world, message.id);
    if (from !== undefined) {
      send(world, node, from, { kind: 'update', id: owner, configEpoch, claims: claimsOf(node, owner) });
    }
    return;
  }
}

function receiveUpdate(world: World, node: SimNode, message: Message & { readonly kind: 'update' }): void {
  const owner = node.peers.get(message.id);
  if (owner === undefined || owner.configEpoch >= message.configEpoch) return;
  owner.role = 'master';
  owner.masterId = undefined;
  owner.configEpoch = message.configEpoch;
  claim(world, node, owner.id, message.configEpoch, message.claims);
}

/** Of two masters with the same config epoch the one with the smaller id takes a new one. */
function collide(world: World, node: SimNode, sender: Peer, configEpoch: number): void {
  if (node.role !== 'master' || sender.role !== 'master' || configEpoch !== node.configEpoch) return;
  if (sender.id <= node.id) return;
  node.currentEpoch++;
  node.configEpoch = node.currentEpoch;
  broadcast(world, node);
}

/**
 * Gives the sender the slots it claims by a greater config epoch, unless they are being imported here. A master that
 * loses its last slot by that becomes the sender's replica; one that keeps others deletes the keys of those it lost.
 */
function claim(world: World, node: SimNode, senderId: string, configEpoch: number, claims: number): void {
  const mine = node.role === 'master' ? node.id : node.masterId;
  const dirty: number[] = [];
  let lost = 0;
  let claimed = 0;
  for (const [unit, owner] of node.owners.entries()) {
    if ((claims & (1 << unit)) === 0) continue;
    claimed++;
    if (owner === senderId || !yields(world, node, unit, configEpoch)) continue;
    if (owner === node.id && (node.keys[unit]?.size ?? 0) > 0) dirty.push(unit);
    if (owner === mine) lost++;
    node.owners[unit] = senderId;
  }
  if (lost > 0 && hasLostAll(world, node, mine, claimed === lost)) follow(node, senderId);
  else if (node.role === 'master') dropKeys(node, dirty);
}

function hasLostAll(world: World, node: SimNode, mine: string | undefined, takesNoMore: boolean): boolean {
  if (mine === undefined || claimsOf(node, mine) !== 0) return false;
  return world.flavour.allowReplicaMigration || takesNoMore;
}

function yields(world: World, node: SimNode, unit: number, configEpoch: number): boolean {
  const owner = node.owners[unit];
  if (isImporting(world, node, unit)) return false;
  return owner === undefined || epochOf(node, owner) < configEpoch;
}

function isImporting(world: World, node: SimNode, unit: number): boolean {
  const [slot] = world.units[unit] ?? [];
  return slot !== undefined && node.importing.has(slot);
}

function dropKeys(node: SimNode, units: readonly number[]): void {
  for (const unit of units) {
    for (const key of node.keys[unit]?.keys() ?? []) node.stream.push({ kind: 'del', unit, key });
    node.keys[unit]?.clear();
  }
}

/** Makes a node a replica; the copy of its new master's data comes later. */
export function follow(node: SimNode, masterId: string): void {
  node.role = 'replica';
  node.masterId = masterId;
  node.migrating.clear();
  node.importing.clear();
  node.stream = [];
  node.applied = 0;
  node.unsynced = true;
}
