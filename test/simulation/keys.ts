import { keySlot } from '../../src/model/keySlot.ts';
import { servesAll, unitOf, write, type SimNode, type Value } from './node.ts';
import { nodeById, type World } from './world.ts';

const slots = new Map<string, number>();

/** The slot of a key named by its bytes as latin1; remembered, since a simulation asks for few keys very often. */
export function slotOf(key: string): number {
  let slot = slots.get(key);
  if (slot === undefined) {
    slot = keySlot(Buffer.from(key, 'latin1'));
    slots.set(key, slot);
  }
  return slot;
}

/** Where a command about a key goes: it is served here, or the client is sent elsewhere (getNodeByQuery). */
export type Routing =
  | { readonly kind: 'here'; readonly value: Value | undefined }
  | { readonly kind: 'ask' | 'moved'; readonly id: string }
  | { readonly kind: 'down' };

export function route(world: World, node: SimNode, key: string, asking: boolean): Routing {
  const slot = slotOf(key);
  const unit = unitOf(world.units, slot);
  const owner = node.owners[unit];
  if (!servesAll(node) || owner === undefined) return { kind: 'down' };
  const value = node.keys[unit]?.get(key);
  if (owner === node.id && node.role === 'master') {
    const leaving = node.migrating.get(slot);
    if (leaving !== undefined && value === undefined) return { kind: 'ask', id: leaving };
    return { kind: 'here', value };
  }
  if (asking && node.role === 'master' && node.importing.has(slot)) return { kind: 'here', value };
  return { kind: 'moved', id: owner };
}

/** A client's read and write in one: returns what the key held before. */
export function overwrite(world: World, node: SimNode, key: string, value: Value, asking: boolean): Routing {
  const routing = route(world, node, key, asking);
  if (routing.kind === 'here') {
    write(node, { kind: 'set', unit: unitOf(world.units, slotOf(key)), key, value });
  }
  return routing;
}

/** The error reply that a routing makes, where it does not lead here. */
export function refusalOf(world: World, routing: Routing, slot: number): Error | undefined {
  if (routing.kind === 'here') return undefined;
  if (routing.kind === 'down') return new Error('CLUSTERDOWN The cluster is down');
  const node = nodeById(world, routing.id);
  const address = node === undefined ? ':0' : `${node.host}:${node.port}`;
  return new Error(`${routing.kind === 'ask' ? 'ASK' : 'MOVED'} ${slot} ${address}`);
}
