import { formatAddress, type Address } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { NodeView } from '../model/nodeView.ts';
import { slotCount, type SlotSet } from '../model/slots.ts';
import { addSlots, meet, replicate, setConfigEpoch } from './admin.ts';
import { connectNode } from './connect.ts';
import type { Credentials, NodeConnection } from './nodeConnection.ts';
import { readNodeView } from './nodeView.ts';
import { pause } from './pause.ts';

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
      `${masters} masters with ${replicasPerMaster} replicas each need ${masters * (1 + replicasPerMaster)} servers, not ${addresses.length}.`,
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
      `Redis at ${formatAddress(address)} is not empty: it holds ${view.keys} keys, knows ${view.others.length} other nodes and ${view.slotsAssigned} assigned slots. Nothing was changed.`,
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
  // Everybody greets everybody: to learn of the others by gossip takes seconds.
  for (const [index, { connection }] of members.entries()) {
    for (const other of members.slice(index + 1)) await meet(connection, other.address);
  }
  await waitForAll(members, signal, (view) => knowsAll(view, members));
  await Promise.all(
    members.map(async ({ connection }, index) => {
      const master = members[index % masters];
      if (index >= masters && master !== undefined) await replicate(connection, master.id);
    }),
  );
  await waitForAll(members, signal, (view, index) => isWhole(view) && index < masters === isMaster(view));
}

function shareOf(index: number, masters: number): SlotSet {
  const first = (share: number): number => Math.round((slotCount * share) / masters);
  return [[first(index), first(index + 1) - 1]];
}

function knowsAll(view: NodeView, members: readonly Member[]): boolean {
  const known = view.others.filter(
    (node) => !node.flags.includes('handshake') && node.linkState === 'connected',
  );
  return (
    known.length === members.length - 1 && known.every(({ id }) => members.some((member) => member.id === id))
  );
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

/** Asks all members again and again until each one's own view passes; gives up after 60 s. */
async function waitForAll(
  members: readonly Member[],
  signal: AbortSignal,
  passes: (view: NodeView, index: number) => boolean,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const views = await Promise.all(members.map(({ connection }) => readNodeView(connection, signal)));
    const late = views.findIndex((view, index) => !passes(view, index));
    const member = members[late];
    if (member === undefined) return;
    if (Date.now() > deadline) {
      throw new UserError(
        'failed',
        `The cluster did not form within 60 s: Redis at ${formatAddress(member.address)} does not agree with the others yet. The servers have to reach each other's bus ports.`,
      );
    }
    await pause(pollMs, signal);
  }
}
