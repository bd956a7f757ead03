import { messageOf, UserError } from '../../model/errors.ts';
import {
  countSlots,
  formatSlots,
  intersectSlots,
  openSlotsIn,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import { isDenied, readNodeView } from '../nodeView.ts';
import { moveAtomically } from './atomicMove.ts';
import { chooseWay, openSlotsOf } from './chooseWay.ts';
import { closeOnReplicas } from './closeOnReplicas.ts';
import { distanceTo, farMs } from './distance.ts';
import { startGuard, type Guard } from './guard.ts';
import { openConnections, type MoveConnections } from './connections.ts';
import { dialAhead, pipelinedMigrate, type Migrated } from './pipelinedMigrate.ts';
import { prepare, type Prepared } from './prepare.ts';
import { startProbe, type Probe } from './probe.ts';
import { tally, type Tally } from './progress.ts';
import { readNodeTimeout } from './ready.ts';
import { redisAtomic } from './redisAtomic.ts';
import { nameIn, type MoveMethod, type MoveRequest, type MoveResult } from './request.ts';
import { valkeyAtomic } from './valkeyAtomic.ts';
import { verifyOwners } from './verifyOwners.ts';

/**
 * Moves slots with their keys from one master to another, by the best way that both know. Clients can read and write
 * all the time. Cancelling ends it after the slots in hand, and leaves none open. After a crash, the same move said
 * again goes on: slots that were moved are skipped, half-moved ones are carried on forward, and nothing is moved back.
 * Throws UserError that says which slots moved and which are left open.
 */
export async function moveSlots(request: MoveRequest): Promise<MoveResult> {
  const concurrent = await request.moves.join(request.from, request.to);
  try {
    return await moveConcurrently(request, () => concurrent.sharing());
  } finally {
    concurrent.leave();
  }
}

async function moveConcurrently(request: MoveRequest, sharing: () => number): Promise<MoveResult> {
  const connections = await openConnections(request);
  let probe: Probe | undefined;
  try {
    if (connections.dialMs > farMs) dialAhead(connections, request);
    const [nodeTimeoutMs, roundTripMs, way, prepared, started] = await Promise.all([
      readNodeTimeout(connections.source),
      distanceTo(connections.source, connections.dialMs),
      chooseWay(request, connections.source, connections.target),
      prepare(request, connections),
      needsProbe(request)
        ? Promise.all([connections.dial(request.from), connections.dial(request.to)]).then(startProbe)
        : undefined,
    ]);
    probe = started;
    const counted = tally(request, countSlots(prepared.finished));
    const guard = startGuard(request, connections.target, probe, counted);
    const run: Run = {
      request,
      connections,
      prepared,
      nodeTimeoutMs,
      roundTripMs,
      probe,
      guard,
      sharing,
      tally: counted,
      moved: [],
    };
    const { method, left, longestWaitMs } = await carryOut(run, way).catch(async (error: unknown) => {
      throw await explain(run, error);
    });
    await verify(run);
    await Promise.all([
      closeOnReplicas(connections.source, prepared.source, run.moved, request.signal),
      closeOnReplicas(connections.target, prepared.target, run.moved, request.signal),
    ]);
    const ended = unionSlots(prepared.finished, run.moved, left?.slots ?? []);
    return {
      movedSlots: countSlots(run.moved),
      movedKeys: counted.keys,
      method,
      ...(left === undefined ? {} : { left }),
      longestWaitMs: Math.max(longestWaitMs, probe?.longestMs() ?? 0),
      cancelled: subtractSlots(request.slots, ended).length > 0,
    };
  } finally {
    probe?.stop();
    connections.close();
  }
}

interface Run {
  readonly request: MoveRequest;
  readonly sharing: () => number;
  readonly connections: MoveConnections;
  readonly prepared: Prepared;
  readonly nodeTimeoutMs: number;
  readonly roundTripMs: number;
  readonly probe: Probe | undefined;
  readonly guard: Guard;
  readonly tally: Tally;
  moved: SlotSet;
}

function needsProbe({ pace, limits }: MoveRequest): boolean {
  return pace !== 'fast' || limits?.latencyMs !== undefined;
}

/** Slots that are open already are finished by the way that opened them; then the best way takes the rest. */
async function carryOut(run: Run, way: MoveMethod): Promise<Migrated & { readonly method: MoveMethod }> {
  const { request, prepared } = run;
  const slots = subtractSlots(request.slots, prepared.finished);
  const open = openSlotsOf(request, prepared.source, prepared.target);
  // A server that has any slot open refuses tasks of its own.
  const method = open.others ? 'migrate' : way;
  const byMigrate = method === 'migrate' ? slots : intersectSlots(slots, open.ours);
  let migrated: Migrated = { longestWaitMs: 0 };
  if (byMigrate.length > 0) {
    migrated = await pipelinedMigrate({
      ...run,
      source: prepared.source,
      target: prepared.target,
      slots: byMigrate,
      onMoved: (moved) => {
        run.moved = unionSlots(run.moved, moved);
      },
    });
  }
  const rest = subtractSlots(slots, byMigrate);
  if (method !== 'migrate' && rest.length > 0) await byServers(run, method, rest);
  return { ...migrated, method };
}

async function byServers(run: Run, method: Exclude<MoveMethod, 'migrate'>, slots: SlotSet): Promise<void> {
  const { request, connections, guard, prepared } = run;
  const move = {
    request,
    guard,
    slots,
    tally: run.tally,
    target: connections.target,
    dialSource: () => connections.dial(request.from),
    way:
      method === 'redisAtomic'
        ? redisAtomic(request, connections.target)
        : valkeyAtomic(request, connections.source),
    bytesPerKey: prepared.source.usedMemoryBytes / Math.max(1, prepared.source.keys),
    patienceMs: 10_000 + 2 * run.nodeTimeoutMs,
    onMoved: (moved: SlotSet) => {
      run.moved = unionSlots(run.moved, moved);
    },
  };
  // A Redis takes part in one task at a time, on whichever end.
  const { from, to, moves } = request;
  if (method === 'redisAtomic') await moves.inTurn([from, to], () => moveAtomically(move));
  else await moveAtomically(move);
}

async function verify({ request, connections, prepared, moved, nodeTimeoutMs }: Run): Promise<void> {
  const slots = unionSlots(prepared.finished, moved);
  if (slots.length === 0) return;
  await verifyOwners({
    masters: connections.masters,
    owner: request.to,
    slots,
    timeoutMs: Math.max(nodeTimeoutMs * 2.4, 5000),
    signal: request.signal,
  });
}

async function explain({ request, prepared, moved }: Run, failure: unknown): Promise<UserError> {
  const { from, to, slots } = request;
  const open = await openSlots(request);
  const rest = formatSlots(subtractSlots(slots, unionSlots(prepared.finished, moved)));
  const left =
    open === undefined
      ? 'Which slots are still open is unknown, since the nodes cannot be asked now.'
      : `Still open: ${open.length === 0 ? 'none' : formatSlots(open)}.`;
  const again = `reshard slots ${rest} to ${nameIn(request, to)} again; it resumes where this stopped.`;
  const next = isDenied(failure)
    ? `Allow the user to run that command, or sign in as another user with “Sign In…”. Then ${again}`
    : `Once both nodes answer, ${again}`;
  const done = moved.length === 0 ? 'No slot was moved' : `Moved: ${formatSlots(moved)}`;
  return new UserError(
    failure instanceof UserError ? failure.reason : 'failed',
    `Moving slots from ${nameIn(request, from)} to ${nameIn(request, to)} stopped: ${reasonOf(failure)} ${done}. ${left} Moved slots stay on the target. ${next}`,
    { cause: failure },
  );
}

/** A server that sends elsewhere for slots that it served or took a moment ago is a replica by now. */
function reasonOf(failure: unknown): string {
  const message = messageOf(failure);
  const [, byTarget, owner] = /^(.*Target instance replied with error: )?MOVED \d+ (\S+)/.exec(message) ?? [];
  if (owner === undefined) return message;
  const what =
    byTarget === undefined ? `${owner} serves these slots now` : 'the target does not take them now';
  return `${what}, such as after a failover (${message}).`;
}

/** Asks both ends again, since the failure may have been the connection's; undefined where neither answers. */
async function openSlots({ dialer, from, to, slots }: MoveRequest): Promise<SlotSet | undefined> {
  const asked = await Promise.all(
    [from, to].map(async (id) => {
      try {
        const connection = await dialer.dial(id);
        const view = await readNodeView(connection).finally(() => {
          connection.close();
        });
        return openSlotsIn(view.self);
      } catch {
        return undefined;
      }
    }),
  );
  const known = asked.filter((set) => set !== undefined);
  return known.length === 0 ? undefined : intersectSlots(unionSlots(...known), slots);
}
