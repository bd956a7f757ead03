import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import type { SimNode, Units, Value } from './node.ts';
import { keySlot } from '../../src/model/keySlot.ts';
import type { Flavour, Shape, World } from './world.ts';

/** What the tool is asked to do to a simulated cluster, said again after each interruption. */
export interface Operation {
  /** Plans and runs with the product's own code; rejects as that does. */
  readonly run: (world: World, dialer: ClusterDialer, signal: AbortSignal) => Promise<void>;
  /** Whether the cluster is where the operation wants it to be. */
  readonly isReached: (world: World) => boolean;
}

export interface Scenario {
  readonly name: string;
  readonly shape: Shape;
  /** By unit: how many keys it has at the start. */
  readonly keys: readonly number[];
  /** How many writes the clients make while it runs. */
  readonly writes: number;
  /** MIGRATEs that end in a timeout after the target took the keys. */
  readonly timeouts: number;
  readonly operation: Operation;
  /** Whether all keys are there at the start; otherwise every third is yet to be made. */
  readonly allKeys?: boolean;
}

export const ids = ['b', 'c', 'd'].map((digit) => digit.repeat(40));

/** Three masters, the first two with a replica; the first owns `moving` single slots beside its range, or nothing beside them. */
export function shape(flavour: Flavour, moving: number, keepsRest: boolean): Shape {
  const units: Units = [
    ...Array.from({ length: moving }, (_, slot): [number, number] => [slot, slot]),
    [moving, 5460],
    [5461, 10_922],
    [10_923, 16_383],
  ];
  const single = Array.from({ length: moving }, (_, slot) => slot);
  const owned = keepsRest
    ? [[...single, moving], [moving + 1], [moving + 2]]
    : [single, [moving, moving + 1], [moving + 2]];
  return {
    flavour,
    replicas: [0, 1],
    units,
    masters: ids.map((id, index) => ({ id, owns: owned[index] ?? [] })),
  };
}

/** The node that serves a shard now: of its nodes the master with the newest epoch. */
export function masterOf(world: World, home: number): SimNode | undefined {
  return world.nodes
    .filter((node) => node.home === home && node.alive && node.role === 'master')
    .sort((a, b) => b.configEpoch - a.configEpoch)[0];
}

/** The master that claims a unit itself; of several the one with the newest epoch. */
export function ownerOf(world: World, unit: number): SimNode | undefined {
  return world.nodes
    .filter(({ alive, role, owners, id }) => alive && role === 'master' && owners[unit] === id)
    .sort((a, b) => b.configEpoch - a.configEpoch)[0];
}

const namesBySlot = new Map<number, string[]>();

/** Names of keys in a slot that is one of the first 16; some are bytes that are no text. */
export function keyIn(slot: number, number: number): string {
  if (namesBySlot.size === 0) findNames();
  const name = namesBySlot.get(slot)?.[number];
  if (name === undefined) throw new RangeError(`no name number ${number} is known for slot ${slot}`);
  return name;
}

function findNames(): void {
  for (let number = 0; number < 400_000; number++) {
    const name = number % 2 === 0 ? `key:${number}` : `\xff\x00\x80${number}`;
    const slot = keySlot(Buffer.from(name, 'latin1'));
    if (slot >= 16) continue;
    const names = namesBySlot.get(slot) ?? [];
    names.push(name);
    namesBySlot.set(slot, names);
  }
}

export function put(node: SimNode, unit: number, key: string, value: Value): void {
  node.keys[unit]?.set(key, value);
}
