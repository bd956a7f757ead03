import { quantity } from '../model/quantity.ts';
import { formatAddress, type Address } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { NodeView } from '../model/nodeView.ts';
import { slotCount, type SlotSet } from '../model/slots.ts';
import { addSlots, meetAll, replicate, setConfigEpoch } from './admin.ts';
import { connectNode } from './connect.ts';
import type { Credentials, NodeConnection } from './nodeConnection.ts';
import { readNodeView } from './nodeView.ts';
import { pause } from '../model/pause.ts';

export interface ClusterShape {
  readonly masters: number;
  readonly replicasPerMaster: number;
}

interface Member {
  readonly address: Address;
  readonly connection: NodeConnection;
  readonly id: string;
}

/** How often servers are asked whether they have come to agree; milliseconds. */
const pollMs = 50;
/** How long they may take for it: of many, each has a connection to make to each, and tells each other of its slots. */
const limitSeconds = { any: 60, eachServer: 0.5 };

/**
 * Joins empty servers to one cluster: the first `masters` of them share the slots, the others become their replicas
 * in turn. Done when every server says that the cluster is ok and all replicas are in sync. The servers reach one
 * another by the addresses given here. Throws UserError, `unsafe` where a server is not empty or knows others already.
 */
export async function formCluster(
  addresses: readonly Address[],
  credentials: Credentials,
  { masters, replicasPerMaster }: ClusterShape,
  signal: AbortSignal,
): Promise<void> {
  if (masters < 1 || addresses.length !== masters * (1 + replicasPerMaster)) {
    throw new UserError(
      'invalid-input',
      `${quantity(masters, 'master')} with ${quantity(replicasPerMaster, 'replica')} each need ${quantity(masters * (1 + replicasPerMaster), 'server')}, not ${addresses.length}.`,
    );
  }
  const connections: NodeConnection[] = [];
  try {
    for (const address of addresses) {
      connections.push(
        await connectNode(address, credentials, { connectTimeoutMs: 5000, commandTimeoutMs: 10_000 }),
      );
    }
    const members = await Promise.all(
      addresses.map((address, index) => emptyMember(address, connections[index])),
    );
    await join(members, masters, signal);
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function emptyMember(address: Address, connection: NodeConnection | undefined): Promise<Member> {
  if (connection === undefined) throw new TypeError('every address has its connection');
  const view = await readNodeView(connection);
  if (view.others.length > 0 || view.slotsAssigned > 0 || view.keys > 0) {
    throw new UserError(
      'unsafe',
      `Redis at ${formatAddress(address)} is not empty: it holds ${quantity(view.keys, 'key')}, knows ${quantity(view.others.length, 'other node')} and ${quantity(view.slotsAssigned, 'assigned slot')}. Nothing was changed.`,
    );
  }
  return { address, connection, id: view.self.id };
}

async function join(members: readonly Member[], masters: number, signal: AbortSignal): Promise<void> {
  await Promise.all(
    members.map(async ({ connection }, index) => {
      await setConfigEpoch(connection, index + 1);
      if (index < masters) await addSlots(connection, shareOf(index, masters));
    }),
  );
  // Every server meets every other: to learn of them by gossip takes seconds.
  for (const [index, { connection }] of members.entries()) {
    await meetAll(
      connection,
      members.slice(index + 1).map(({ address }) => address),
    );
  }
  const ids = new Set(members.map(({ id }) => id));
  await waitForAll(members, signal, (view) => knowsAll(view, ids));
  await tellSlots(members, masters, signal);
  await Promise.all(
    members.map(async ({ connection }, index) => {
      const master = members[index % masters];
      if (index >= masters && master !== undefined) await replicate(connection, master.id);
    }),
  );
  await waitForAll(members, signal, (view, index) => isWhole(view) && index < masters === isMaster(view));
}

/**
 * Has masters meet whoever does not know their slots, since a MEET message says them. Among many servers that may be news
 * for minutes otherwise: slots go from server to server only, which ping each other seldom while gossip says all is well.
 */
async function tellSlots(members: readonly Member[], masters: number, signal: AbortSignal): Promise<void> {
  for (const { address, connection } of members) {
    const { others } = await readNodeView(connection, { signal });
    const silent = new Set(others.filter(({ slots }) => slots.length === 0).map(({ id }) => id));
    const unaware = members.slice(0, masters).filter(({ id }) => silent.has(id));
    await Promise.all(unaware.map((master) => meetAll(master.connection, [address])));
  }
}

function shareOf(index: number, masters: number): SlotSet {
  const first = (share: number): number => Math.round((slotCount * share) / masters);
  return [[first(index), first(index + 1) - 1]];
}

function knowsAll(view: NodeView, ids: ReadonlySet<string>): boolean {
  const known = view.others.filter(
    (node) => !node.flags.includes('handshake') && node.linkState === 'connected',
  );
  return known.length === ids.size - 1 && known.every(({ id }) => ids.has(id));
}

function isMaster(view: NodeView): boolean {
  return view.replication.role === 'master';
}

function isWhole(view: NodeView): boolean {
  return (
    view.clusterState === 'ok' &&
    view.slotsAssigned === slotCount &&
    (isMaster(view) || view.replication.linkUp === true)
  );
}

/**
 * Asks one member after the other again and again until its own view passes. All at once would keep many servers so
 * busy with answers that they come to agree later.
 */
async function waitForAll(
  members: readonly Member[],
  signal: AbortSignal,
  passes: (view: NodeView, index: number) => boolean,
): Promise<void> {
  const limit = limitSeconds.any + limitSeconds.eachServer * members.length;
  const deadline = Date.now() + limit * 1000;
  for (const [index, { address, connection }] of members.entries()) {
    while (!passes(await readNodeView(connection, { signal }), index)) {
      if (Date.now() > deadline) {
        throw new UserError(
          'failed',
          `The cluster did not form within ${limit} s: Redis at ${formatAddress(address)} does not agree with the others yet. The servers must reach each other’s bus ports.`,
        );
      }
      await pause(pollMs, signal);
    }
  }
}
