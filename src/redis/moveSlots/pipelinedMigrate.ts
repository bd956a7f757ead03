import type { NodeView } from '../../model/nodeView.ts';
import { countSlots, formatSlots, intersectSlots, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { pause } from '../../model/pause.ts';
import { lookForLargeKeys } from './bigKeys.ts';
import { adviceOn, describeBigKeys, slotListOf, slotsOf } from './bigKeysText.ts';
import { blocksOf, keysPerSlot, ownsNone } from './blocks.ts';
import { startMigratePool, type MigratePool } from './migratePool.ts';
import { openSlotsOf } from './chooseWay.ts';
import { farMs } from './distance.ts';
import type { Guard } from './guard.ts';
import { transacts, type Ends } from './handOver.ts';
import type { MoveConnections } from './connections.ts';
import { moveBlock, patienceOf } from './moveBlock.ts';
import type { Probe } from './probe.ts';
import type { Tally } from './progress.ts';
import { proveTarget } from './proveTarget.ts';
import { openGate, type ReplicaGate } from './replicaGate.ts';
import { queueOf, type Queue } from './queue.ts';
import { isOver, nameIn, type MoveRequest, type MoveResult } from './request.ts';
import { startSpeed } from './speed.ts';
import { tempoFor, type Tempo } from './tempo.ts';

export interface PipelinedMove {
  readonly request: MoveRequest;
  readonly connections: MoveConnections;
  readonly slots: SlotSet;
  /** What both ends said of themselves before the move. */
  readonly source: NodeView;
  readonly target: NodeView;
  readonly nodeTimeoutMs: number;
  /** The way to the source and back; milliseconds. */
  readonly roundTripMs: number;
  readonly probe: Probe | undefined;
  readonly guard: Guard;
  readonly tally: Tally;
  /** How many moves take from this source at the same time. */
  readonly sharing: () => number;
  /** Told after each block, so that the caller knows what has moved even where the move fails. */
  readonly onMoved: (slots: SlotSet) => void;
}

/**
 * Lanes are how many blocks are under way at once, each opening, migrating and closing its slots for itself: more of them
 * where each of that takes its time on the way. Slots that are open answer some commands with TRYAGAIN, so not many are
 * at once. A gentle move has one lane where it can: a MIGRATE waits while the target is told of slots, and the source
 * with it, so it tells of few at once and meanwhile moves none. The pool is the connections that share the MIGRATEs.
 */
const parallel = {
  near: {
    fast: { lanes: 4, poolSize: 4, slotsPerBlock: 64 },
    gentle: { lanes: 1, poolSize: 2, slotsPerBlock: 16 },
  },
  far: {
    fast: { lanes: 8, poolSize: 8, slotsPerBlock: 64 },
    gentle: { lanes: 2, poolSize: 8, slotsPerBlock: 32 },
  },
} as const;
/** How many keys may be on the target alone while its replicas are behind. */
const keysAlone = { fast: 16_384, gentle: 4096 } as const;
/** From Valkey 8 on a SETSLOT takes as long as its replicas take to confirm it. */
const slowSetters = 24;
/** Of the result of a move what this way of moving knows. */
export type Migrated = Pick<MoveResult, 'left' | 'longestWaitMs'>;

interface Run extends PipelinedMove {
  readonly queue: Queue;
  readonly pool: MigratePool;
  readonly tempo: () => Tempo;
  readonly gate: ReplicaGate;
  readonly keysPerSlot: number;
  readonly moreOfSource: readonly NodeConnection[];
  readonly moreOfTarget: readonly NodeConnection[];
  readonly inOne: boolean;
  underWay: { keys: number; bytes: number };
  outranked: number;
  failure: Error | undefined;
}

/** Begins to dial what a move over a long way will need, while the servers are still asked whether it can be made. */
export function dialAhead(connections: MoveConnections, { from, to, pace = 'gentle' }: MoveRequest): void {
  const { lanes, poolSize } = parallel.far[pace];
  connections.dialAhead(from, poolSize + lanes - 1);
  connections.dialAhead(to, lanes);
}

/**
 * Moves slots with their keys by MIGRATE, many slots and keys to a round trip. Slots with a key that is too big for it
 * stay where they are, and the result names them. Throws what stopped it; each lane ends its block first where it can.
 */
export async function pipelinedMigrate(move: PipelinedMove): Promise<Migrated> {
  const { request, connections } = move;
  const pace = request.pace ?? 'gentle';
  const { lanes, poolSize, slotsPerBlock } = parallel[move.roundTripMs > farMs ? 'far' : 'near'][pace];
  const longestMs = move.nodeTimeoutMs / 2;
  const speed = startSpeed(
    () => performance.now(),
    () => performance.eventLoopUtilization().active,
  );
  const [gateConnection, poolConnections, largeKeys, laneConnections, moreOfSource, moreOfTarget, inOne] =
    await Promise.all([
      connections.dial(request.to),
      connections.dialMany(request.from, poolSize),
      lookForLargeKeys(connections, move.source, move.slots, longestMs),
      Promise.all(
        Array.from({ length: lanes - 1 }, () =>
          Promise.all([connections.dial(request.from), connections.dial(request.to)]),
        ),
      ),
      isSlowToSet(move.source) ? connections.dialMany(request.from, slowSetters) : [],
      isSlowToSet(move.target) ? connections.dialMany(request.to, slowSetters) : [],
      isSlowToSet(move.target) ? false : transacts(connections.target),
      proveTarget({ ...move, patienceMs: patienceOf(move) }),
    ]);
  const tempo = tempoFor({ ...move, pace, patienceMs: patienceOf(move) });
  const run: Run = {
    ...move,
    queue: queueOf({
      blocks: blocksOf(move, request.blockSlots ?? slotsPerBlock),
      largeKeys,
      speed,
      longestMs,
    }),
    keysPerSlot: keysPerSlot(move.source),
    pool: startMigratePool({
      connections: poolConnections,
      target: request.targetAddress,
      credentials: request.dialer.credentials,
      patienceMs: patienceOf(move),
      roundTripMs: move.roundTripMs,
      speed,
      tempo: tempo.now,
    }),
    tempo: tempo.now,
    gate: openGate({
      target: gateConnection,
      nudge: () => connections.target.call('PING'),
      hasReplica: move.target.replication.replicas.length > 0,
      mostKeys: keysAlone[pace],
      tally: move.tally,
      isOver: () => isOver(request),
    }),
    moreOfSource,
    moreOfTarget,
    inOne,
    underWay: { keys: 0, bytes: 0 },
    outranked: move.source.self.configEpoch,
    failure: undefined,
  };
  const first = [connections.source, connections.target] as const;
  const ends = [first, ...laneConnections];
  if (ownsNone(move.target)) await work(run, first, 1);
  await Promise.all(
    ends.map(async (lane, index) => {
      // The first lane's keys travel while the others list theirs.
      await pause((index * move.roundTripMs) / 2);
      await work(run, lane);
      // What is left to confirm is confirmed while the last lanes hand over.
      if (run.failure === undefined) await run.gate.settle();
    }),
  );
  if (run.failure !== undefined) throw run.failure;
  const left = leftBy(run);
  return { ...(left === undefined ? {} : { left }), longestWaitMs: run.pool.longestMs };
}

/** Slots with keys that are too big for MIGRATE; one that an earlier run had opened stays open. */
function leftBy({ queue: { tooBig }, request, source, target, nodeTimeoutMs }: Run): Migrated['left'] {
  if (tooBig.length === 0) return undefined;
  const slots = slotsOf(tooBig);
  const open = intersectSlots(openSlotsOf(request, source, target).ours, slots);
  const where =
    open.length === 0
      ? `not opened and stays on ${nameIn(request, request.from)}`
      : `not moved and stays as it was; open since an earlier move: ${formatSlots(open)}`;
  const verb = countSlots(slots) === 1 ? 'was' : 'were each';
  const kept = `${slotListOf(tooBig)} ${verb} ${where}.`;
  return { slots, why: [describeBigKeys(tooBig, nodeTimeoutMs), kept, adviceOn(tooBig)].join(' ') };
}

function isSlowToSet({ product }: NodeView): boolean {
  return product === 'valkey';
}

/** One lane takes block after block until it has `most` or none is left, the user cancels, or a lane has failed. */
async function work(
  run: Run,
  lane: readonly [NodeConnection, NodeConnection],
  most = Infinity,
): Promise<void> {
  const { request, moreOfSource, moreOfTarget, inOne } = run;
  const [source, target] = lane;
  const { from, to } = request;
  const ends: Ends = { source, target, from, to, moreOfSource, moreOfTarget, inOne };
  const isStopped = (): boolean => run.failure !== undefined || isOver(request);
  for (let taken = 0; taken < most && !isStopped(); taken++) {
    try {
      const block = await run.queue.next(lane);
      if (block === undefined) return;
      await run.guard.pass();
      const share = await run.gate.enter(Math.ceil(block.slots.length * run.keysPerSlot));
      try {
        if (!isStopped()) await moveBlock(run, ends, block, share);
      } finally {
        share.leave();
      }
    } catch (error) {
      run.failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }
}
