import { wouldOutrank } from '../../model/configEpochs.ts';
import { UserError } from '../../model/errors.ts';
import type { KnownNode, NodeView } from '../../model/nodeView.ts';
import {
  formatSlots,
  intersectSlots,
  slotsFrom,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { readNodeView } from '../nodeView.ts';
import { pause } from '../../model/pause.ts';
import type { MoveRequest } from './request.ts';

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
    readNodeView(source, { signal }),
    readNodeView(target, { signal }),
  ]);
  return { source: ofSource, target: ofTarget };
}

/**
 * Waits until source and target are masters, serve, know each other as masters, the target knows the source as the owner
 * of the slots, and its claim to them would win. Throws UserError.
 */
export async function waitUntilReady(
  pair: Pair,
  first: PairViews,
  { from, to, slots, signal }: Pick<MoveRequest, 'from' | 'to' | 'slots' | 'signal'>,
): Promise<PairViews> {
  const deadline = Date.now() + joinMs;
  for (let views = first; ; views = await readPair(pair, signal)) {
    const obstacle =
      obstacleIn(views.source, to) ??
      obstacleIn(views.target, from) ??
      unheardOwner(views, slots) ??
      unheardEpoch(views.source.self, views.target);
    if (obstacle === undefined) return views;
    if (Date.now() > deadline) throw new UserError('unsafe', `${obstacle} Nothing was moved.`);
    await pause(100, signal);
  }
}

function obstacleIn(view: NodeView, peerId: string): string | undefined {
  const { id } = view.self;
  if (view.replication.role !== 'master')
    return `Node ${id} is a replica, and only a master can give or take slots.`;
  if (view.clusterState !== 'ok') return `Node ${id} reports that the cluster is down.`;
  const peer = view.others.find((node) => node.id === peerId);
  if (peer === undefined) return `Node ${id} does not know node ${peerId}.`;
  if (!peer.flags.includes('master')) return `Node ${id} does not see node ${peerId} as a master.`;
  return peer.flags.includes('fail') ? `Node ${id} considers node ${peerId} failed.` : undefined;
}

/**
 * A node that imports a slot does not hear any more whose it is (clusterUpdateSlotsConfigWith in the servers'
 * cluster_legacy.c): where it has not heard of a failover by then, the old master's return leaves it with a slot that no
 * master owns, and it takes no keys. Undefined where it knows the source as the owner of all slots that it does not import
 * or own yet.
 */
function unheardOwner({ source, target }: PairViews, slots: SlotSet): string | undefined {
  const known = target.others.find(({ id }) => id === source.self.id)?.slots ?? [];
  const begun = unionSlots(target.self.slots, slotsFrom(target.self.importing.map(({ slot }) => slot)));
  const unheard = subtractSlots(intersectSlots(source.self.slots, slots), unionSlots(known, begun));
  if (unheard.length === 0) return undefined;
  return `Node ${target.self.id} has not heard that node ${source.self.id} owns hash slots ${formatSlots(unheard)}.`;
}

/** Undefined where the target's claim to the source's slots would be the newer one (see wouldOutrank). */
function unheardEpoch(source: KnownNode, target: NodeView): string | undefined {
  const { id, configEpoch } = source;
  if (wouldOutrank(target, configEpoch)) return undefined;
  return `Node ${target.self.id} has not heard of the config epoch ${configEpoch} of node ${id}, or has the same one, so its claim to the slots would not be believed.`;
}

/**
 * Waits until a target's claim wins over a source's that has this config epoch, which may have risen since the move
 * began. Throws UserError.
 */
export async function untilOutranks(target: NodeConnection, source: KnownNode): Promise<void> {
  const deadline = Date.now() + joinMs;
  for (;;) {
    const obstacle = unheardEpoch(source, await readNodeView(target));
    if (obstacle === undefined) return;
    if (Date.now() > deadline) throw new UserError('unsafe', `${obstacle} The slots were not handed over.`);
    await pause(100);
  }
}
