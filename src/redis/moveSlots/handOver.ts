import { UserError } from '../../model/errors.ts';
import type { KnownNode } from '../../model/nodeView.ts';
import { formatSlots, slotsFrom } from '../../model/slots.ts';
import { setSlots } from '../admin.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { parseClusterNodes } from '../clusterNodes.ts';
import { pause } from '../../model/pause.ts';

/** The two ends of a move, each with a connection. */
export interface Ends {
  readonly source: NodeConnection;
  readonly target: NodeConnection;
  readonly from: string;
  readonly to: string;
  /**
   * Connections beside those two that share the SETSLOTs: Valkey 8 blocks a connection until its replicas have
   * confirmed one, so a hundred of them take a hundred times as long on one connection. There are none for Redis.
   */
  readonly moreOfSource?: readonly NodeConnection[];
  readonly moreOfTarget?: readonly NodeConnection[];
  /** Whether the target takes SETSLOTs in a transaction (see `transacts`). */
  readonly inOne?: boolean;
}

/** Whether a server lets this user run transactions: an ACL may deny them. Not to be asked of Valkey (see `claim`). */
export async function transacts(connection: NodeConnection): Promise<boolean> {
  const replies = await connection.pipeline([['MULTI'], ['EXEC']]);
  return !replies.some((reply) => reply instanceof Error);
}

function toSource({ source, moreOfSource = [] }: Ends): readonly NodeConnection[] {
  return [source, ...moreOfSource];
}

function toTarget({ target, moreOfTarget = [] }: Ends): readonly NodeConnection[] {
  return [target, ...moreOfTarget];
}

/**
 * Opens slots for the move: on the target first, since a client that the source sends on with ASK must find the
 * target importing. May be said again for slots that are open already. Throws where a server refuses.
 */
export async function openForMove(ends: Ends, slots: readonly number[]): Promise<void> {
  await openOnTarget(ends, slots);
  await insist(toSource(ends), slots, 'MIGRATING', ends.to);
}

/** The first half of opening slots: the source serves them as before. Throws where the target refuses. */
export async function openOnTarget(ends: Ends, slots: readonly number[]): Promise<void> {
  await insist(toTarget(ends), slots, 'IMPORTING', ends.from);
}

/**
 * Points slots that the target imports from a node that has died to the master that was promoted in its place: until
 * then the target believes the dead node to be their owner and says that the cluster is down (seen with Redis 7.0).
 */
export async function adopt(ends: Ends, slots: readonly number[]): Promise<void> {
  await insist(toTarget(ends), slots, 'NODE', ends.from);
  await insist(toTarget(ends), slots, 'IMPORTING', ends.from);
}

/** Has a master import slots from that owner, whatever its marks name now. Throws where it refuses. */
export async function importFrom(
  connection: NodeConnection,
  slots: readonly number[],
  owner: string,
): Promise<void> {
  await insist([connection], slots, 'IMPORTING', owner);
}

/**
 * What stands between a move and lost data: as soon as the target owns a slot, the source drops the keys it still has
 * in it, silently. So nothing is handed over unless the source itself counts no key in any of the slots and still
 * has each of them open towards the target, which keeps new keys out. Returns the slots in which keys remain, and what the
 * source says of itself.
 */
export async function slotsWithKeys(
  ends: Ends,
  slots: readonly number[],
): Promise<{ readonly left: readonly number[]; readonly source: KnownNode }> {
  const replies = await ends.source.pipeline([
    ...slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
    ['CLUSTER', 'NODES'],
  ]);
  const refusal = replies.find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
  const { self } = parseClusterNodes(String(replies.at(-1)));
  const open = new Set(self.migrating.filter(({ nodeId }) => nodeId === ends.to).map(({ slot }) => slot));
  const closed = slots.filter((slot) => !open.has(slot));
  if (closed.length > 0) {
    throw new UserError(
      'unsafe',
      `Slots ${formatSlots(slotsFrom(closed))} were closed on the source by someone else during the migration; their ownership was not changed.`,
    );
  }
  return { left: slots.filter((_, index) => replies[index] !== 0), source: self };
}

/**
 * Gives slots without keys to the target: there first (Redis issue 7116), then on the source. The target tells everybody
 * else itself; a master that has not heard yet sends clients to the source, and the source sends them on.
 */
export async function handOver(ends: Ends, slots: readonly number[]): Promise<void> {
  if (ends.inOne === true) await claim(ends, slots);
  else await insist(toTarget(ends), slots, 'NODE', ends.to);
  await tell(ends, [], slots);
}

/**
 * Makes the target the owner of all these slots at once. Of each slot that a server was importing and owns from now on
 * it tells every node (clusterBroadcastPong, in SETSLOT NODE); with sixteen slots all nodes read sixteen messages, each
 * as long as all slots, while clients wait. So all but the last are closed before they are assigned, of which nobody is
 * told, and the message about the last tells of all of them. In a transaction nobody meets a slot that is closed and
 * not assigned, and no crash leaves one. The last one is opened again, since only that brings a new config epoch. Not for
 * Valkey: it makes a SETSLOT wait for its replicas, which no transaction can (8.1.1 crashes).
 */
async function claim({ target, from, to }: Ends, slots: readonly number[]): Promise<void> {
  const last = slots.at(-1);
  if (last === undefined) return;
  const set = (slot: number, ...how: readonly string[]): Argument[] => ['CLUSTER', 'SETSLOT', slot, ...how];
  const quietly = slots.slice(0, -1).flatMap((slot) => [set(slot, 'STABLE'), set(slot, 'NODE', to)]);
  const commands = [...quietly, set(last, 'IMPORTING', from), set(last, 'NODE', to)];
  const replies = await target.pipeline([['MULTI'], ...commands, ['EXEC']]);
  const refusal = replies.flat().find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
}

/**
 * The target's ownership stands by its config epoch; telling the others only saves them waiting for gossip. So a
 * source that has lost its last slot and is a replica by now, or a master that does not answer, is no failure here:
 * verification asks them all afterwards.
 */
export async function tell(
  ends: Ends,
  otherMasters: readonly NodeConnection[],
  slots: readonly number[],
): Promise<void> {
  await Promise.allSettled(
    [toSource(ends), ...otherMasters.map((connection) => [connection])].map((connections) =>
      share(connections, slots, 'NODE', ends.to),
    ),
  );
}

/**
 * What passes by itself: Valkey confirms SETSLOT only once replicas have it, and a replica may be late; a server that
 * has not heard of a failover yet takes the new master for a replica.
 */
const passing: readonly string[] = ['NOREPLICAS', 'ERR Target node is not a master'];

/** Asks again for what passes by itself. Throws a UserError with what the server said where it refuses for good. */
async function insist(
  connections: readonly NodeConnection[],
  slots: readonly number[],
  verb: Verb,
  nodeId: string,
): Promise<void> {
  let left = slots;
  for (let attempt = 1; ; attempt++) {
    const refusals = await share(connections, left, verb, nodeId);
    const fatal = [...refusals.values()].find(
      ({ message }) => attempt === 4 || !passing.some((word) => message.startsWith(word)),
    );
    if (fatal !== undefined) {
      const list = formatSlots(slotsFrom(left));
      throw new UserError('failed', `A server refused to set slots ${list} (SETSLOT): ${fatal.message}.`, {
        cause: fatal,
      });
    }
    if (refusals.size === 0) return;
    left = left.filter((slot) => refusals.has(slot));
    await pause(500);
  }
}

type Verb = Parameters<typeof setSlots>[2];

/** Shares the slots among the connections; returns what was refused. */
async function share(
  connections: readonly NodeConnection[],
  slots: readonly number[],
  verb: Verb,
  nodeId: string,
): Promise<ReadonlyMap<number, Error>> {
  const refused = new Map<number, Error>();
  await Promise.all(
    connections.map(async (connection, number) => {
      const own = slots.filter((_, index) => index % connections.length === number);
      const replies = await setSlots(connection, own, verb, nodeId);
      for (const [index, slot] of own.entries()) {
        const reply = replies[index];
        if (reply instanceof Error) refused.set(slot, reply);
      }
    }),
  );
  return refused;
}
