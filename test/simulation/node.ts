import type { SlotRange } from '../../src/model/slots.ts';

/** What a key holds: the number of the write that made it, which is all that comparing needs, and its size. */
export interface Value {
  readonly version: number;
  readonly bytes: number;
}

/** One entry of a master's replication stream. */
export type Written =
  | { readonly kind: 'set' | 'restore'; readonly unit: number; readonly key: string; readonly value: Value }
  | { readonly kind: 'del'; readonly unit: number; readonly key: string };

/** What one node believes of another. */
export interface Peer {
  readonly id: string;
  readonly number: number;
  role: 'master' | 'replica';
  masterId: string | undefined;
  configEpoch: number;
  failed: boolean;
}

/** A MIGRATE under way: until it ends its source does nothing else, since the command blocks the server. */
export interface Migration {
  readonly target: SimNode | undefined;
  readonly unit: number;
  /** Keys that the target has confirmed and the source has not deleted yet. */
  readonly confirmed: readonly string[];
  readonly refusal: string | undefined;
  readonly reply: (reply: unknown) => void;
}

/** One simulated server: what it holds and what it believes. Nothing here is what another node knows. */
export interface SimNode {
  readonly number: number;
  /** The shard it belonged to at the start: its master's number. */
  readonly home: number;
  id: string;
  readonly host: string;
  readonly port: number;
  alive: boolean;
  role: 'master' | 'replica';
  masterId: string | undefined;
  currentEpoch: number;
  configEpoch: number;
  /** By unit: the id of the master that this node takes for its owner. */
  readonly owners: (string | undefined)[];
  readonly migrating: Map<number, string>;
  readonly importing: Map<number, string>;
  readonly peers: Map<string, Peer>;
  /** Ids that FORGET keeps out until that time. */
  readonly forgotten: Map<string, number>;
  /** By unit. */
  readonly keys: Map<string, Value>[];
  /** A master's replication stream since it became one. */
  stream: Written[];
  /** How much of its master's stream a replica has. */
  applied: number;
  /** A replica that has no copy of this master yet. */
  unsynced: boolean;
  /** A replica that CLUSTER FAILOVER has told to take over. */
  takingOver: 'handOver' | 'force' | undefined;
  migration: Migration | undefined;
  /** After a start: the nodes it has yet to hear of before it serves (CLUSTER_WRITABLE_DELAY gives them 2 s). */
  readonly unheard: Set<number>;
}

/**
 * The slots of a simulated cluster in pieces that never part: single slots that move, and ranges that stay. It keeps
 * 16,384 slots as cheap as the few that a scenario is about.
 */
export type Units = readonly SlotRange[];

export function unitOf(units: Units, slot: number): number {
  const unit = units.findIndex(([start, end]) => start <= slot && slot <= end);
  if (unit === -1) throw new RangeError(`${slot} is no slot`);
  return unit;
}

/** Bytes that one entry of the replication stream counts. */
export const bytesPerEntry = 64;

export function newNode(number: number, home: number, id: string, units: Units): SimNode {
  return {
    number,
    home,
    id,
    host: `10.0.0.${number + 1}`,
    port: 6379,
    alive: true,
    role: 'master',
    masterId: undefined,
    currentEpoch: 0,
    configEpoch: 0,
    owners: units.map(() => undefined),
    migrating: new Map(),
    importing: new Map(),
    peers: new Map(),
    forgotten: new Map(),
    keys: units.map(() => new Map<string, Value>()),
    stream: [],
    applied: 0,
    unsynced: false,
    takingOver: undefined,
    migration: undefined,
    unheard: new Set(),
  };
}

/** The units that a node takes for the property of `id`, as bits. */
export function claimsOf(node: SimNode, id: string): number {
  let bits = 0;
  for (const [unit, owner] of node.owners.entries()) if (owner === id) bits |= 1 << unit;
  return bits;
}

export function epochOf(node: SimNode, id: string | undefined): number {
  if (id === undefined) return -1;
  return id === node.id ? node.configEpoch : (node.peers.get(id)?.configEpoch ?? 0);
}

export function isMasterFor(node: SimNode, id: string): boolean {
  return id === node.id ? node.role === 'master' : node.peers.get(id)?.role === 'master';
}

/** Whether a node serves at all (cluster_state): with every slot covered by a master that has not failed. */
export function servesAll(node: SimNode): boolean {
  if (node.unheard.size > 0) return false;
  for (const owner of node.owners) {
    if (owner === undefined || node.peers.get(owner)?.failed === true) return false;
  }
  const masters = new Set(node.owners);
  let reachable = 0;
  for (const id of masters) if (id !== undefined && node.peers.get(id)?.failed !== true) reachable++;
  return reachable * 2 > masters.size;
}

export function totalKeys(node: SimNode): number {
  return node.keys.reduce((sum, keys) => sum + keys.size, 0);
}

/** Writes on a master: the change itself, and its entry in the stream to the replicas. */
export function write(node: SimNode, entry: Written): void {
  apply(node, entry);
  node.stream.push(entry);
}

export function apply(node: SimNode, entry: Written): void {
  if (entry.kind === 'del') node.keys[entry.unit]?.delete(entry.key);
  else node.keys[entry.unit]?.set(entry.key, entry.value);
}
