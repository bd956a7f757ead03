import type { Clock } from './clock.ts';
import { newNode, type Peer, type SimNode, type Units } from './node.ts';

/** What a message on the cluster bus tells: the header of PING and PONG, or an UPDATE about a third node. */
export type Message =
  | {
      readonly kind: 'header';
      readonly id: string;
      readonly role: 'master' | 'replica';
      readonly masterId: string | undefined;
      readonly currentEpoch: number;
      /** Of a replica: its master's, as the replica knows it. */
      readonly configEpoch: number;
      readonly claims: number;
      /** Sends MEET to a node that does not know the sender. */
      readonly meet: boolean;
    }
  | { readonly kind: 'update'; readonly id: string; readonly configEpoch: number; readonly claims: number };

/** What differs between server versions, as far as moving slots is concerned. */
export interface Flavour {
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  /** Valkey 8: SETSLOT goes to the replicas first, so that open slots outlive a failover. */
  readonly replicatesSetSlot: boolean;
  /** Redis 8.6, Valkey 8: a STABLE on a node that is not the owner drops the keys it has in the slot at the next start. */
  readonly allowReplicaMigration: boolean;
}

export const redis7: Flavour = {
  product: 'redis',
  version: '7.0.15',
  replicatesSetSlot: false,
  allowReplicaMigration: true,
};
export const valkey8: Flavour = {
  product: 'valkey',
  version: '8.1.1',
  replicatesSetSlot: true,
  allowReplicaMigration: true,
};

/** A whole simulated cluster. */
export interface World {
  readonly clock: Clock;
  readonly flavour: Flavour;
  readonly units: Units;
  readonly nodes: readonly SimNode[];
  /** Messages on their way, in order, by sender and receiver: `sender * nodes + receiver`. */
  readonly links: Message[][];
  /** Keys of which something was lost with a server that had not replicated it yet, and how. */
  readonly excused: Map<string, string>;
  /** How many of the MIGRATEs from here on end in a timeout after the target has taken the keys. */
  timeouts: number;
  /** Whether what the tool had on its way when a server died last has been answered. */
  answeredFirst: readonly (() => boolean)[];
  /** Whether any server has died in this run. */
  hasDied: boolean;
  /** When servers ping each other next. */
  nextPing: number;
}

export interface Shape {
  readonly flavour: Flavour;
  /** By master: its node id and the units it owns at the start. */
  readonly masters: readonly { readonly id: string; readonly owns: readonly number[] }[];
  /** By node after the masters: whose replica it is, as that one's number. */
  readonly replicas: readonly number[];
  readonly units: Units;
}

/** A healthy cluster in which everybody knows everybody: masters first, then their replicas. */
export function newWorld(clock: Clock, shape: Shape): World {
  const { flavour, masters, replicas, units } = shape;
  const homes = [...masters.keys(), ...replicas];
  const nodes = homes.map((home, number) => {
    const id = masters[home]?.id ?? '';
    return newNode(
      number,
      home,
      number < masters.length ? id : `${number.toString(16)}${id.slice(1)}`,
      units,
    );
  });
  for (const node of nodes) {
    node.currentEpoch = masters.length;
    node.configEpoch = node.number + 1;
    for (const { id, owns } of masters) for (const unit of owns) node.owners[unit] = id;
    if (node.number < masters.length) continue;
    node.role = 'replica';
    node.masterId = masters[node.home]?.id;
    node.configEpoch = 0;
  }
  for (const node of nodes) {
    for (const other of nodes) if (other !== node) node.peers.set(other.id, peerOf(other));
  }
  return {
    clock,
    flavour,
    units,
    nodes,
    links: Array.from({ length: nodes.length ** 2 }, () => []),
    excused: new Map(),
    timeouts: 0,
    answeredFirst: [],
    hasDied: false,
    nextPing: 0,
  };
}

function peerOf({ id, number, role, masterId, configEpoch }: SimNode): Peer {
  return { id, number, role, masterId, configEpoch, failed: false };
}

export function nodeById(world: World, id: string | undefined): SimNode | undefined {
  return world.nodes.find((node) => node.id === id);
}

export function linkBetween(world: World, from: SimNode, to: SimNode): Message[] {
  const link = world.links[from.number * world.nodes.length + to.number];
  if (link === undefined) throw new RangeError('there is no such link');
  return link;
}
