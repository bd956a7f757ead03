import type { Address } from '../model/clusterRef.ts';
import { eachSlot, type SlotSet } from '../model/slots.ts';
import type { Argument, NodeConnection } from './nodeConnection.ts';

/** The id by which its peers know the server. */
export async function myId(connection: NodeConnection): Promise<string> {
  return String(await connection.call('CLUSTER', 'MYID'));
}

/** Makes the server meet another one (CLUSTER MEET). Names are not resolved by the server: the host has to be an IP address. */
export async function meet(
  connection: NodeConnection,
  address: Address & { readonly busPort?: number },
): Promise<void> {
  const bus = address.busPort === undefined ? [] : [address.busPort];
  await connection.call('CLUSTER', 'MEET', address.host, address.port, ...bus);
}

/** Makes the server meet all of these, in one round trip. Throws the first refusal. */
export async function meetAll(connection: NodeConnection, addresses: readonly Address[]): Promise<void> {
  const replies = await connection.pipeline(
    addresses.map(({ host, port }): Argument[] => ['CLUSTER', 'MEET', host, port]),
  );
  const refusal = replies.find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
}

/** Makes an empty server, or one that is a replica already, a replica of the master. */
export async function replicate(connection: NodeConnection, masterId: string): Promise<void> {
  await connection.call('CLUSTER', 'REPLICATE', masterId);
}

/**
 * Takes a server without slots out of its cluster; `HARD` also gives it another id. A reset empties a replica in memory
 * only: its append-only file brings the keys back at the next start, so the file is emptied too, unless keys are there.
 */
export async function leaveCluster(connection: NodeConnection, how: 'HARD' | 'SOFT'): Promise<void> {
  await connection.call('CLUSTER', 'RESET', how);
  if (Number(await connection.call('DBSIZE')) === 0) await connection.call('FLUSHALL');
}

/** Claims slots that nobody serves, one by one: servers before Redis 7.0 know no ranges. */
export async function addSlots(connection: NodeConnection, slots: SlotSet): Promise<void> {
  await connection.call('CLUSTER', 'ADDSLOTS', ...eachSlot(slots));
}

/**
 * Makes a master the owner of slots that nobody serves, whoever it believes to own them. Its epoch comes first: others
 * believe a claim only if it is newer than that of the one who is lost (specification, "Hash slots configuration
 * propagation and updates"), and a claim that is not newer would be taken back at once.
 */
export async function takeSlots(
  connection: NodeConnection,
  ownId: string,
  slots: readonly number[],
): Promise<void> {
  await connection.call('CLUSTER', 'BUMPEPOCH');
  const refusal = (await setSlots(connection, slots, 'NODE', ownId)).find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
}

/** Gives a server that knows no other one its config epoch, so that no two masters start with the same. */
export async function setConfigEpoch(connection: NodeConnection, epoch: number): Promise<void> {
  await connection.call('CLUSTER', 'SET-CONFIG-EPOCH', epoch);
}

/** Sends one SETSLOT per slot in one write; one reply per slot, an Error where the server refused. */
export async function setSlots(
  connection: NodeConnection,
  slots: readonly number[],
  verb: 'IMPORTING' | 'MIGRATING' | 'NODE',
  nodeId: string,
): Promise<readonly unknown[]> {
  return await connection.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'SETSLOT', slot, verb, nodeId]),
  );
}

/**
 * Closes slots at a master: at a source that does not own them any more, and so on its replicas. To be told their owner
 * is not enough where it still has keys in them: a replica that took the source's place without its last deletions has
 * (Valkey passes open slots on). These are older than what the owner holds.
 */
export async function closeSlots(master: NodeConnection, slots: readonly number[]): Promise<void> {
  const replies = await master.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'SETSLOT', slot, 'STABLE']),
  );
  const refusal = replies
    .filter((reply) => reply instanceof Error)
    .find(({ message }) => !/only with (?:masters|primaries)/.test(message));
  if (refusal !== undefined) throw refusal;
}

/** How long a pause lasts unless it is renewed, and how often it is; seconds. */
const pauseSeconds = 30;
const renewSeconds = 10;

/**
 * Pauses the agent in this server's pod while an operation runs: it looks for a connection whose name says
 * until when. A crashed operation's pause ends with its connection, and by the server's clock at the latest. The
 * connection belongs to the pause from now on; `release` closes it.
 */
export async function pauseAgentOver(connection: NodeConnection): Promise<{ release(): void }> {
  const setName = (now: number): Argument[] => ['CLIENT', 'SETNAME', `rck8s-hold-${now + pauseSeconds}`];
  const renew = async (): Promise<void> => {
    const here = Math.floor(Date.now() / 1000);
    // By this machine's clock it takes one round trip; where the server's says otherwise, another one.
    const [time, named] = await connection.pipeline([['TIME'], setName(here)]);
    if (named instanceof Error) throw named;
    const there = Array.isArray(time) ? Number(time[0]) : here;
    if (Math.abs(there - here) > 1) await connection.call(...setName(there));
  };
  await renew();
  const timer = setInterval(() => {
    // A server that is gone has no agent to pause; the operation itself finds out that it is gone.
    renew().catch(() => undefined);
  }, renewSeconds * 1000);
  return {
    release: () => {
      clearInterval(timer);
      connection.close();
    },
  };
}
