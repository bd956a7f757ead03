import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { readNodeView } from '../nodeView.ts';
import { pause } from '../pause.ts';

/** A master refuses everything for up to 5 s after it has joined (CLUSTER_MAX_REJOIN_DELAY); milliseconds. */
const joinMs = 15_000;
/** Stands in where a server does not tell its cluster-node-timeout; milliseconds. */
const safeTimeoutMs = 5000;

/** After how long without an answer a server's peers take it for dead; milliseconds. */
export async function readNodeTimeout(connection: NodeConnection): Promise<number> {
  const reply = await connection.call('CONFIG', 'GET', 'cluster-node-timeout').catch(() => undefined);
  const timeout = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
  return timeout > 0 ? timeout : safeTimeoutMs;
}

export interface Pair {
  readonly source: NodeConnection;
  readonly target: NodeConnection;
}

export interface PairViews {
  readonly source: NodeView;
  readonly target: NodeView;
}

export async function readPair({ source, target }: Pair, signal: AbortSignal): Promise<PairViews> {
  const [ofSource, ofTarget] = await Promise.all([
    readNodeView(source, signal),
    readNodeView(target, signal),
  ]);
  return { source: ofSource, target: ofTarget };
}

/**
 * Waits until source and target are masters, serve, and know each other as masters. Throws UserError. Replicas that are
 * late to take over open slots are waited for as long, but are no reason to refuse.
 */
export async function waitUntilReady(
  pair: Pair,
  first: PairViews,
  { from, to, signal }: { readonly from: string; readonly to: string; readonly signal: AbortSignal },
): Promise<PairViews> {
  const deadline = Date.now() + joinMs;
  for (let views = first; ; views = await readPair(pair, signal)) {
    const obstacle = obstacleIn(views.source, to) ?? obstacleIn(views.target, from);
    const isLate = Date.now() > deadline;
    const waitsForReplicas = [views.source, views.target].some(hasReplicaToTell) && !isLate;
    if (obstacle === undefined && !waitsForReplicas) return views;
    if (obstacle !== undefined && isLate) throw new UserError('unsafe', `${obstacle} Nothing was moved.`);
    await pause(100, signal);
  }
}

/**
 * Valkey passes SETSLOT on to replicas. One that still copies its master's data does not hear it, and may go on to call
 * slots open that it had open before, for good, since a replica refuses to be told. (Valkey 9.1: seen in one of nine
 * moves after a failover, and with this wait in one of thirty-five, for which no reason is known.)
 */
function hasReplicaToTell({ product, self, others, replication }: NodeView): boolean {
  if (product !== 'valkey' || self.migrating.length + self.importing.length === 0) return false;
  const replicas = others.filter(
    ({ masterId, flags }) => masterId === self.id && !flags.some((flag) => flag.startsWith('fail')),
  );
  return replication.replicas.filter(({ online }) => online).length < replicas.length;
}

function obstacleIn(view: NodeView, peerId: string): string | undefined {
  const { id } = view.self;
  if (view.replication.role !== 'master')
    return `Node ${id} is a replica, and only a master can give or take slots.`;
  if (view.clusterState !== 'ok') return `Node ${id} says that the cluster is down.`;
  const peer = view.others.find((node) => node.id === peerId);
  if (peer === undefined) return `Node ${id} does not know node ${peerId}.`;
  if (!peer.flags.includes('master')) return `Node ${id} does not see node ${peerId} as a master.`;
  return peer.flags.includes('fail') ? `Node ${id} takes node ${peerId} for failed.` : undefined;
}
