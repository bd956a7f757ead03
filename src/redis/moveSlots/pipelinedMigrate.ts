import type { Address } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { NodeView } from '../../model/nodeView.ts';
import {
  countSlots,
  eachSlot,
  formatSlots,
  hasSlot,
  intersectSlots,
  slotsFrom,
  splitSlots,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import type { ClusterDialer } from '../nodeConnection.ts';
import { readNodeView } from '../nodeView.ts';
import { batchesPerWrite, carryKeys, type Carriage } from './carryKeys.ts';
import { adopt, handOver, openForMove, slotsWithKeys, tell, type Ends } from './handOver.ts';
import { carriersPerLane, openLines, type Lane, type Lines } from './lines.ts';
import { readPatience, waitUntilReady } from './ready.ts';
import { verifyOwners } from './verifyOwners.ts';

export interface MoveRequest {
  readonly dialer: ClusterDialer;
  /** Node ids of two masters. */
  readonly from: string;
  readonly to: string;
  readonly slots: SlotSet;
  /** The node ids of the masters that neither give nor take. */
  readonly otherMasters: readonly string[];
  /** The target as the source server reaches it, never as this machine does. */
  readonly targetAddress: Address;
  readonly signal: AbortSignal;
  readonly onProgress?: (movedSlots: number, movedKeys: number) => void;
  /** How many slots are opened at once by each of the two lanes. */
  readonly blockSlots?: number;
  /** How messages call a node; its id without it. */
  readonly nameOf?: (nodeId: string) => string;
}

export interface MoveResult {
  /** Slots and keys moved by this run; slots that an earlier run had moved are not counted. */
  readonly movedSlots: number;
  readonly movedKeys: number;
  readonly cancelled: boolean;
}

/** What has been done so far; both lanes write it. */
interface Run {
  readonly request: MoveRequest;
  /** Slots that an earlier run had handed over without telling everybody. */
  readonly finished: SlotSet;
  readonly waiting: SlotSet[];
  moved: SlotSet;
  movedKeys: number;
  failure: unknown;
}

/**
 * Moves slots with their keys by MIGRATE, many slots and keys to a round trip. Clients can read and write all the
 * time. Cancelling ends it after the slots in hand, and leaves none open. After a crash, the same move said again goes
 * on: slots that were moved are skipped, half-moved ones are carried on forward, and nothing is moved back. Throws
 * UserError that says which slots moved and which are left open.
 */
export async function moveSlots(request: MoveRequest): Promise<MoveResult> {
  const lines = await openLines(request);
  try {
    const patienceMs = await readPatience(lines.first.source);
    const { finished, waiting } = await prepare(request, lines);
    const run: Run = { request, finished, waiting, moved: [], movedKeys: 0, failure: undefined };
    await Promise.all(lines.lanes.map((lane) => work(run, lane, lines, patienceMs)));
    if (run.failure !== undefined) throw await explain(run);
    const slots = unionSlots(finished, run.moved);
    if (slots.length > 0) {
      await verifyOwners({
        masters: lines.masters,
        owner: request.to,
        slots,
        timeoutMs: patienceMs * 4,
      });
    }
    return {
      movedSlots: countSlots(run.moved),
      movedKeys: run.movedKeys,
      cancelled: waiting.length > 0,
    };
  } finally {
    lines.close();
  }
}

/** Waits until both ends are fit for it, and finishes what an earlier run had all but finished. */
async function prepare(
  request: MoveRequest,
  { first, others }: Lines,
): Promise<{ finished: SlotSet; waiting: SlotSet[] }> {
  const { from, to, slots } = request;
  await adoptOrphans(request, first);
  const { source, target } = await waitUntilReady(first, request);
  const finished = intersectSlots(slots, target.self.slots);
  const lost = subtractSlots(slots, unionSlots(finished, source.self.slots));
  if (lost.length > 0) {
    throw new UserError(
      'unsafe',
      `${name(request, from)} does not own slots ${formatSlots(lost)}. Nothing was moved. Look at the cluster again before resharding.`,
    );
  }
  refuseForeign(request, source, target);
  if (finished.length > 0) await tell({ ...first, from, to }, others, [...eachSlot(finished)]);
  return { finished, waiting: [...splitSlots(subtractSlots(slots, finished), request.blockSlots ?? 64)] };
}

async function adoptOrphans(
  { from, to, slots, otherMasters, signal }: MoveRequest,
  first: Lane,
): Promise<void> {
  const [source, target] = await Promise.all([
    readNodeView(first.source, signal),
    readNodeView(first.target, signal),
  ]);
  const orphans = target.self.importing
    .filter(({ slot, nodeId }) => nodeId !== from && !otherMasters.includes(nodeId) && hasSlot(slots, slot))
    .filter(({ slot }) => hasSlot(source.self.slots, slot));
  if (orphans.length > 0) {
    await adopt(
      { ...first, from, to },
      orphans.map(({ slot }) => slot),
    );
  }
}

/** Slots that are open between these two masters are ours to carry on; those of another move are not. */
function refuseForeign(request: MoveRequest, source: NodeView, target: NodeView): void {
  const wanted = new Set(eachSlot(subtractSlots(request.slots, target.self.slots)));
  const foreign = [...source.self.migrating, ...target.self.importing].filter(
    ({ slot, nodeId }) => wanted.has(slot) && request.otherMasters.includes(nodeId),
  );
  if (foreign.length > 0) {
    throw new UserError(
      'unsafe',
      `Slots ${formatSlots(slotsFrom(foreign.map(({ slot }) => slot)))} are open for a move to or from another node. Finish that move first. Nothing was moved.`,
    );
  }
}

/** One lane takes block after block until none is left, the user cancels, or either lane has failed. */
async function work(run: Run, lane: Lane, lines: Lines, patienceMs: number): Promise<void> {
  const { request } = run;
  const carriage: Carriage = {
    list: lane.source,
    carriers: lane.carriers,
    target: request.targetAddress,
    credentials: request.dialer.credentials,
    patienceMs,
    inFlight: lines.lanes.length * carriersPerLane * batchesPerWrite,
  };
  const ends: Ends = { source: lane.source, target: lane.target, from: request.from, to: request.to };
  while (run.failure === undefined && !request.signal.aborted) {
    const block = run.waiting.shift();
    if (block === undefined) return;
    try {
      const slots = [...eachSlot(block)];
      await openForMove(ends, slots);
      const keys = await empty(carriage, ends, slots);
      run.movedKeys += keys;
      await handOver(ends, lines.others, slots);
      run.moved = unionSlots(run.moved, block);
      request.onProgress?.(countSlots(unionSlots(run.finished, run.moved)), run.movedKeys);
    } catch (error) {
      run.failure ??= error;
    }
  }
}

/** Carries keys until the barrier sees none; a key that comes to light only there gets two more chances. */
async function empty(carriage: Carriage, ends: Ends, slots: readonly number[]): Promise<number> {
  let moved = 0;
  let left = slots;
  for (let round = 0; round < 3; round++) {
    moved += await carryKeys(carriage, left);
    left = await slotsWithKeys(ends, slots);
    if (left.length === 0) return moved;
  }
  throw new UserError(
    'unsafe',
    `The source still counts keys in slots ${formatSlots(slotsFrom(left))} that it does not list, so these slots were not handed over.`,
  );
}

async function explain({ request, finished, moved, failure }: Run): Promise<UserError> {
  const { from, to, slots } = request;
  const open = await openSlots(request);
  const rest = formatSlots(subtractSlots(slots, unionSlots(finished, moved)));
  const left =
    open === undefined
      ? 'Which slots are left open cannot be asked now.'
      : `Left open: ${open.length === 0 ? 'none' : formatSlots(open)}.`;
  const done = moved.length === 0 ? 'No slot was moved' : `Moved: ${formatSlots(moved)}`;
  return new UserError(
    failure instanceof UserError ? failure.reason : 'failed',
    `Moving slots from ${name(request, from)} to ${name(request, to)} stopped: ${messageOf(failure)} ${done}. ${left} Nothing is moved back. Once both nodes answer, reshard slots ${rest} to ${name(request, to)} again: that goes on where this stopped.`,
    { cause: failure },
  );
}

/** Asks both ends anew, since the failure may have been the connection's; undefined where neither answers. */
async function openSlots({ dialer, from, to, slots }: MoveRequest): Promise<SlotSet | undefined> {
  const asked = await Promise.all(
    [from, to].map(async (id) => {
      try {
        const connection = await dialer.dial(id);
        const view = await readNodeView(connection).finally(() => {
          connection.close();
        });
        return slotsFrom([...view.self.migrating, ...view.self.importing].map(({ slot }) => slot));
      } catch {
        return undefined;
      }
    }),
  );
  const known = asked.filter((set) => set !== undefined);
  return known.length === 0 ? undefined : intersectSlots(unionSlots(...known), slots);
}

function name({ nameOf }: MoveRequest, id: string): string {
  return nameOf === undefined ? `node ${id}` : nameOf(id);
}
