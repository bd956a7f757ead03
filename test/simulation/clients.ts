import { isFree } from './failover.ts';
import { overwrite, slotOf } from './keys.ts';
import { unitOf, type SimNode } from './node.ts';
import type { Random } from './random.ts';
import { nodeById, type World } from './world.ts';

/** A key with what its client knows of it: the last write that a server has acknowledged. */
export interface ClientKey {
  readonly name: string;
  acknowledged: number;
  attempted: number;
}

/** A cluster-aware client: it reads each key before it writes it again, so that no loss is covered up. */
export interface Client {
  readonly keys: readonly ClientKey[];
  /** By unit: the node id to which it sends. */
  readonly map: (string | undefined)[];
  writesLeft: number;
  pending:
    | {
        readonly key: ClientKey;
        nodeId: string | undefined;
        asking: boolean;
        tries: number;
        notBefore: number;
      }
    | undefined;
  /** Acknowledged writes that were gone; those that went with a server that had not replicated them are apart. */
  readonly losses: string[];
  unreplicated: number;
  /** Reads that did not find what was there, after a server had died: it came back when the operation went on. */
  hidden: number;
}

/** How long a client waits before it asks again where a server was down. */
const retryMs = 20;

export function newClient(world: World, keys: readonly ClientKey[], writes: number): Client {
  const [first] = world.nodes;
  return {
    keys,
    map: [...(first?.owners ?? [])],
    writesLeft: writes,
    pending: undefined,
    losses: [],
    unreplicated: 0,
    hidden: 0,
  };
}

/** Whether the client has something to do now; one whose server stands still waits for it. */
export function isReady(world: World, { pending, writesLeft }: Client): boolean {
  if (pending === undefined) return writesLeft > 0;
  if (pending.notBefore > world.clock.now()) return false;
  const node = nodeById(world, pending.nodeId);
  return node === undefined || !node.alive || isFree(node);
}

/** One request to one server, and its answer. */
export function stepClient(world: World, client: Client, random: Random): void {
  client.pending ??= begin(world, client, random);
  const { pending } = client;
  const { key } = pending;
  const node = nodeById(world, pending.nodeId);
  if (++pending.tries > 40) {
    // It gives up; the write may have happened or not, and was not acknowledged.
    client.pending = undefined;
    client.writesLeft--;
    return;
  }
  if (node?.alive !== true) {
    lookAround(world, client, random);
    return;
  }
  if (!isFree(node)) return;
  const before = node.keys[unitOf(world.units, slotOf(key.name))]?.get(key.name)?.version ?? 0;
  const value = { version: key.attempted + 1, bytes: 64 };
  const routing = overwrite(world, node, key.name, value, pending.asking);
  if (routing.kind === 'here') {
    // While nobody knows of a dead source's open slots, the keys that have moved are hidden, not lost.
    if (before < key.acknowledged && world.hasDied) client.hidden++;
    else compare(world, client, key, before, 'during the run');
    key.attempted = value.version;
    key.acknowledged = value.version;
    client.pending = undefined;
    client.writesLeft--;
  } else if (routing.kind === 'down') lookAround(world, client, random);
  else {
    pending.nodeId = routing.id;
    pending.asking = routing.kind === 'ask';
    if (!pending.asking) client.map[unitOf(world.units, slotOf(key.name))] = routing.id;
  }
}

function begin(world: World, client: Client, random: Random): NonNullable<Client['pending']> {
  const key = random.pick(client.keys);
  return {
    key,
    nodeId: client.map[unitOf(world.units, slotOf(key.name))],
    asking: false,
    tries: 0,
    notBefore: 0,
  };
}

/** Asks any node that answers for the map of slots. */
function lookAround(world: World, client: Client, random: Random): void {
  const alive = world.nodes.filter(isFree);
  if (alive.length === 0 || client.pending === undefined) return;
  const told: SimNode = random.pick(alive);
  client.map.splice(0, client.map.length, ...told.owners);
  client.pending.nodeId = client.map[unitOf(world.units, slotOf(client.pending.key.name))];
  client.pending.asking = false;
  client.pending.notBefore = world.clock.now() + retryMs;
}

/** Says what is lost of a key; what went with a server that had not replicated it is counted apart, once. */
export function compare(world: World, client: Client, key: ClientKey, version: number, when: string): void {
  if (version >= key.acknowledged) return;
  const cause = world.excused.get(key.name);
  if (cause === undefined) {
    client.losses.push(
      `${key.name} (slot ${slotOf(key.name)}): ${version} instead of ${key.acknowledged}, ${when}`,
    );
    return;
  }
  client.unreplicated++;
  world.excused.delete(key.name);
  key.acknowledged = version;
}
