import { UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import { eachSlot, formatSlots, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { pause } from '../pause.ts';
import { describeBigKeys, lookForBigKeys, withoutBigKeys, type BigKey, type BigKeys } from './bigKeys.ts';
import { blocksOf, keysPerSlot, ownsNone } from './blocks.ts';
import { startCarriers, type Batch, type Carriers } from './carriers.ts';
import { carryKeys, listKeys, type Carriage } from './carryKeys.ts';
import { farMs } from './distance.ts';
import type { Guard } from './guard.ts';
import { handOver, openForMove, slotsWithKeys, transacts, type Ends } from './handOver.ts';
import type { Lines } from './lines.ts';
import type { Probe } from './probe.ts';
import type { Tally } from './progress.ts';
import { openGate, type ReplicaGate, type Share } from './replicaGate.ts';
import { isOver, type MoveRequest } from './request.ts';
import { tempoFor, type Tempo } from './tempo.ts';

export interface PipelinedMove {
  readonly request: MoveRequest;
  readonly lines: Lines;
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
 * Lanes are how many blocks are under way at once, each opening, carrying and closing its slots for itself: more of them
 * where each of that takes its time on the way. Slots that are open answer some commands with TRYAGAIN, so not many are
 * at once. A gentle move has one lane where it can: a MIGRATE waits while the target is told of slots, and the source
 * with it, so it tells of few at once and meanwhile moves none. Carriers are the connections that share the MIGRATEs.
 */
const parallel = {
  near: {
    fast: { lanes: 4, carriers: 4, slotsPerBlock: 64 },
    gentle: { lanes: 1, carriers: 2, slotsPerBlock: 16 },
  },
  far: {
    fast: { lanes: 8, carriers: 8, slotsPerBlock: 64 },
    gentle: { lanes: 2, carriers: 8, slotsPerBlock: 32 },
  },
} as const;
/** How many keys may be on the target alone while its replicas are behind. */
const keysAlone = { fast: 16_384, gentle: 4096 } as const;
/** From Valkey 8 on a SETSLOT takes as long as its replicas take to confirm it. */
const slowSetters = 24;
/** How often slots are counted anew where this machine sleeps or is far too slow. */
const freshTries = 10;

interface Run extends PipelinedMove {
  readonly waiting: SlotSet[];
  readonly carriers: Carriers;
  readonly tempo: () => Tempo;
  readonly gate: ReplicaGate;
  readonly bigKeys: BigKeys;
  readonly keysPerSlot: number;
  readonly moreOfSource: readonly NodeConnection[];
  readonly moreOfTarget: readonly NodeConnection[];
  readonly inOne: boolean;
  readonly tooBig: BigKey[];
  underWay: { keys: number; bytes: number };
  failure: Error | undefined;
}

/** Begins to dial what a move over a long way will need, while the servers are still asked whether it can be made. */
export function dialAhead(lines: Lines, { from, to, pace = 'gentle' }: MoveRequest): void {
  const { lanes, carriers } = parallel.far[pace];
  lines.dialAhead(from, carriers + lanes - 1);
  lines.dialAhead(to, lanes);
}

/**
 * Moves slots with their keys by MIGRATE, many slots and keys to a round trip. Slots with a key that is too big for it
 * are left closed, and an error at the end names them. Throws what stopped it; each lane ends its block first where
 * it can.
 */
export async function pipelinedMigrate(move: PipelinedMove): Promise<void> {
  const { request, lines } = move;
  const pace = request.pace ?? 'gentle';
  const { lanes, carriers, slotsPerBlock } = parallel[move.roundTripMs > farMs ? 'far' : 'near'][pace];
  const [gateLine, carrierLines, bigKeys, laneLines, moreOfSource, moreOfTarget, inOne] = await Promise.all([
    lines.dial(request.to),
    lines.dialMany(request.from, carriers),
    lookForBigKeys(lines, move.source, move.nodeTimeoutMs / 2),
    Promise.all(
      Array.from({ length: lanes - 1 }, () =>
        Promise.all([lines.dial(request.from), lines.dial(request.to)]),
      ),
    ),
    isSlowToSet(move.source) ? lines.dialMany(request.from, slowSetters) : [],
    isSlowToSet(move.target) ? lines.dialMany(request.to, slowSetters) : [],
    isSlowToSet(move.target) ? false : transacts(lines.target),
  ]);
  const tempo = tempoFor({ ...move, pace, patienceMs: patienceOf(move) });
  const run: Run = {
    ...move,
    waiting: blocksOf(move, request.blockSlots ?? slotsPerBlock),
    keysPerSlot: keysPerSlot(move.source),
    carriers: startCarriers({
      connections: carrierLines,
      target: request.targetAddress,
      credentials: request.dialer.credentials,
      patienceMs: patienceOf(move),
      tempo: tempo.now,
    }),
    tempo: tempo.now,
    gate: openGate({
      target: gateLine,
      nudge: () => lines.target.call('PING'),
      hasReplica: move.target.replication.replicas.length > 0,
      mostKeys: keysAlone[pace],
      tally: move.tally,
      isOver: () => isOver(request),
    }),
    bigKeys,
    moreOfSource,
    moreOfTarget,
    inOne,
    tooBig: [],
    underWay: { keys: 0, bytes: 0 },
    failure: undefined,
  };
  const first = [lines.source, lines.target] as const;
  const ends = [first, ...laneLines];
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
  throwWhatStopped(run);
}

function isSlowToSet({ product }: NodeView): boolean {
  return product === 'valkey';
}

/** How long a source may be out of sight without its replicas taking its place; milliseconds. */
function patienceOf({ nodeTimeoutMs }: PipelinedMove): number {
  return Math.floor(nodeTimeoutMs * 0.6);
}

/** Milliseconds since now, by whichever clock says more: one stands still while the machine sleeps, one can be set back. */
function startAge(): () => number {
  const [start, date] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - start, Date.now() - date);
}

function throwWhatStopped({ failure, tooBig, nodeTimeoutMs }: Run): void {
  if (failure !== undefined) throw failure;
  if (tooBig.length > 0) {
    const slots = formatSlots(slotsFrom(tooBig.map(({ slot }) => slot)));
    throw new UserError(
      'unsafe',
      `${describeBigKeys(tooBig, nodeTimeoutMs / 2)} Slots ${slots} were not opened. Split the key, or raise cluster-node-timeout on all nodes for the time of the move.`,
    );
  }
}

/** One lane takes block after block until it has `most` or none is left, the user cancels, or a lane has failed. */
async function work(
  run: Run,
  [source, target]: readonly [NodeConnection, NodeConnection],
  most = Infinity,
): Promise<void> {
  const { request, moreOfSource, moreOfTarget, inOne } = run;
  const { from, to } = request;
  const ends: Ends = { source, target, from, to, moreOfSource, moreOfTarget, inOne };
  const isStopped = (): boolean => run.failure !== undefined || isOver(request);
  for (let taken = 0; taken < most && !isStopped(); taken++) {
    const block = run.waiting.shift();
    if (block === undefined) return;
    try {
      const big = await run.bigKeys.in([...eachSlot(block)]);
      run.tooBig.push(...big);
      const slots = withoutBigKeys(block, big);
      if (slots.length === 0) continue;
      await run.guard.pass();
      const share = await run.gate.enter(Math.ceil(slots.length * run.keysPerSlot));
      try {
        if (!isStopped()) await moveBlock(run, ends, slots, share);
      } finally {
        share.leave();
      }
    } catch (error) {
      run.failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }
}

async function moveBlock(run: Run, ends: Ends, slots: readonly number[], share: Share): Promise<void> {
  const carriage = carriageOf(run, ends, share);
  const [opening, listing] = [openForMove(ends, slots), listKeys(carriage, slots)];
  // No SETSLOT is on its way any more when one of them has failed.
  await Promise.allSettled([opening, listing]);
  await opening;
  const moving = { keys: 0, bytes: 0 };
  for (let attempt = 1; ; attempt++) {
    const listed = attempt === 1 ? await listing : undefined;
    const { keys, bytes, isFresh } = await empty(run, ends, carriage, slots, listed);
    moving.keys += keys;
    moving.bytes += bytes;
    if (isFresh()) break;
    if (attempt === freshTries) throw tooSlow(slots, patienceOf(run));
  }
  const { keys, bytes } = moving;
  await handOver(ends, slots);
  const moved = slotsFrom(slots);
  run.onMoved(moved);
  run.underWay = { keys: run.underWay.keys - keys, bytes: run.underWay.bytes - bytes };
  run.tally.add({ slots: moved, keys, bytes });
}

function carriageOf(run: Run, { source }: Ends, share: Share): Carriage {
  return {
    list: source,
    carriers: run.carriers,
    target: run.request.targetAddress,
    tempo: run.tempo,
    share,
    onKeys: (keys, bytes) => {
      run.underWay = { keys: run.underWay.keys + keys, bytes: run.underWay.bytes + bytes };
      run.tally.show(run.underWay.keys, run.underWay.bytes);
    },
  };
}

function tooSlow(slots: readonly number[], patienceMs: number): UserError {
  return new UserError(
    'unsafe',
    `Between the source's last word on slots ${formatSlots(slotsFrom(slots))} and their handing over more than ${patienceMs} ms passed each time, so they were not handed over.`,
  );
}

/**
 * Carries keys until the barrier sees none; a key that comes to light only there gets two more chances. The count holds
 * only as long as nobody can have taken the source's place: on a machine that slept in between, a replica may have been
 * promoted and have taken writes, which it would drop as soon as the target owned the slot.
 */
async function empty(
  run: Run,
  ends: Ends,
  carriage: Carriage,
  slots: readonly number[],
  listed: readonly Batch[] | undefined,
): Promise<{ keys: number; bytes: number; isFresh: () => boolean }> {
  const total = { keys: 0, bytes: 0 };
  let left = slots;
  for (let round = 0; round < 3; round++) {
    const { keys, bytes } = await carryKeys(carriage, left, round === 0 ? listed : undefined);
    total.keys += keys;
    total.bytes += bytes;
    const age = startAge();
    left = await slotsWithKeys(ends, slots);
    if (left.length === 0) return { ...total, isFresh: () => age() < patienceOf(run) };
  }
  throw new UserError(
    'unsafe',
    `The source still counts keys in slots ${formatSlots(slotsFrom(left))} that it does not list, so these slots were not handed over.`,
  );
}
