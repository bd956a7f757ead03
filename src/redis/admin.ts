import type { Address } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { SlotSet } from '../model/slots.ts';
import type { Argument, NodeConnection } from './nodeConnection.ts';

/** The id by which its peers know the server. */
export async function myId(connection: NodeConnection): Promise<string> {
  return String(await connection.call('CLUSTER', 'MYID'));
}

/** Makes the server greet another one. Names are not resolved by the server: the host has to be an IP address. */
export async function meet(
  connection: NodeConnection,
  address: Address & { readonly busPort?: number },
): Promise<void> {
  const bus = address.busPort === undefined ? [] : [address.busPort];
  await connection.call('CLUSTER', 'MEET', address.host, address.port, ...bus);
}

/** Makes an empty server, or one that is a replica already, a replica of the master. */
export async function replicate(connection: NodeConnection, masterId: string): Promise<void> {
  await connection.call('CLUSTER', 'REPLICATE', masterId);
}

/** Claims slots that nobody serves. Needs Redis 7.0 or Valkey. */
export async function addSlots(connection: NodeConnection, slots: SlotSet): Promise<void> {
  await connection.call('CLUSTER', 'ADDSLOTSRANGE', ...slots.flat());
}

/** Gives a server that knows no other one its config epoch, so that no two masters start with the same. */
export async function setConfigEpoch(connection: NodeConnection, epoch: number): Promise<void> {
  await connection.call('CLUSTER', 'SET-CONFIG-EPOCH', epoch);
}

export type SlotState =
  | { readonly kind: 'importing'; readonly from: string }
  | { readonly kind: 'migrating'; readonly to: string }
  | { readonly kind: 'node'; readonly owner: string };

/** Sends one SETSLOT per slot in one write; one reply per slot, an Error where the server refused. */
export async function setSlots(
  connection: NodeConnection,
  slots: readonly number[],
  state: SlotState,
): Promise<readonly unknown[]> {
  const [verb, id] = {
    importing: () => ['IMPORTING', state.kind === 'importing' ? state.from : ''],
    migrating: () => ['MIGRATING', state.kind === 'migrating' ? state.to : ''],
    node: () => ['NODE', state.kind === 'node' ? state.owner : ''],
  }[state.kind]();
  return await connection.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'SETSLOT', slot, verb ?? '', id ?? '']),
  );
}

/** How many keys the server itself holds in each of the slots, whoever they belong to. Throws where it does not say. */
export async function countKeysInSlots(
  connection: NodeConnection,
  slots: readonly number[],
): Promise<readonly number[]> {
  const replies = await connection.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  return replies.map((reply) => {
    if (typeof reply === 'number') return reply;
    throw reply instanceof Error ? reply : new UserError('failed', 'The server did not count its keys.');
  });
}
