import { bytesText } from '../model/bytes.ts';
import type { Address } from '../model/clusterRef.ts';
import { isAbort, messageOf, UserError } from '../model/errors.ts';
import {
  eachSlot,
  formatSlots,
  hasSlot,
  intersectSlots,
  slotsFrom,
  subtractSlots,
  type SlotSet,
} from '../model/slots.ts';
import { closeSlots } from './admin.ts';
import { mayPass, migrateCommand, migrateRefusal } from './migrateCommand.ts';
import { proveArrival } from './moveSlots/arrival.ts';
import { adopt } from './moveSlots/handOver.ts';
import { readNodeTimeout } from './moveSlots/ready.ts';
import { untilReplicated } from './moveSlots/replicaGate.ts';
import type { Argument, ClusterDialer, NodeConnection } from './nodeConnection.ts';
import { readNodeView } from './nodeView.ts';
import { pause } from '../model/pause.ts';

export interface BringRequest {
  readonly dialer: ClusterDialer;
  /** The master that holds strayed keys, or only calls the slots open. */
  readonly from: string;
  /** The slots' owner, or the master to which that one is migrating them. */
  readonly to: string;
  readonly owner: string;
  readonly slots: SlotSet;
  /** The receiver as the giver reaches it, never as this machine does. */
  readonly targetAddress: Address;
  readonly nameOf: (nodeId: string) => string;
  readonly signal: AbortSignal;
  readonly onKeys: (keys: number) => void;
}

const keysPerMigrate = 100;
const bytesPerMigrate = 1024 * 1024;
/** What MIGRATE gets through, as seen of the slowest kind of key (see bigKeys.ts). */
const bytesPerMillisecond = 50_000;
const triesWithoutProgress = 10;

interface Ends {
  readonly source: NodeConnection;
  readonly target: NodeConnection;
  readonly owner: NodeConnection;
}

/**
 * Brings keys home from a master that does not serve their slots, and closes the slots there. A key that the receiver
 * has is never overwritten: clients were served that one. A strayed copy is removed only once the receiver and a replica
 * of it have the key, and a slot is closed only where no key of it is left. Safe to run twice. Returns how many keys
 * were brought. Throws UserError; what was brought until then stays.
 */
export async function bringKeys(request: BringRequest): Promise<{ readonly keys: number }> {
  const { dialer, from, to, owner } = request;
  const dialled = await Promise.allSettled([from, to, owner].map((id) => dialer.dial(id)));
  try {
    const [source, target, owning] = dialled.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    if (source === undefined || target === undefined || owning === undefined) throw new Error('not dialled');
    const ends: Ends = { source, target, owner: owning };
    const isTaking = await refuseOvertaken(request, ends);
    return { keys: await bringAndClose(request, ends, isTaking) };
  } catch (error) {
    throw explained(request, error);
  } finally {
    for (const one of dialled) if (one.status === 'fulfilled') one.value.close();
  }
}

/** A server refuses where it has not heard yet who is a master, such as after a failover. */
function explained({ from, to, slots, nameOf }: BringRequest, error: unknown): unknown {
  if (error instanceof UserError || isAbort(error)) return error;
  return new UserError(
    'failed',
    `Bringing the keys of slots ${formatSlots(slots)} from ${nameOf(from)} to ${nameOf(to)} stopped: ${messageOf(error)}. No key was deleted that ${nameOf(to)} does not have. Heal again.`,
    { cause: error },
  );
}

/** On the very connections that change something. Returns the slots that the receiver takes already. */
async function refuseOvertaken(
  { from, to, owner, slots, nameOf }: BringRequest,
  ends: Ends,
): Promise<SlotSet> {
  const [source, target, owning] = await Promise.all(
    [ends.source, ends.target, ends.owner].map((line) => readNodeView(line)),
  );
  if (source?.self.id !== from || target?.self.id !== to || owning?.self.id !== owner)
    throw changed(`Another server answers in place of ${[from, to, owner].map(nameOf).join(', ')}.`);
  const lost = subtractSlots(slots, owning.self.slots);
  if (lost.length > 0) throw changed(`${nameOf(owner)} no longer owns slots ${formatSlots(lost)}.`);
  const own = intersectSlots(slots, source.self.slots);
  if (own.length > 0) throw changed(`${nameOf(from)} owns slots ${formatSlots(own)} by now.`);
  const leaving = owning.self.migrating.filter(({ slot }) => hasSlot(slots, slot));
  const isSo = to === owner ? leaving.length === 0 : [...eachSlot(slots)].length === leaving.length;
  if (!isSo) throw changed(`${nameOf(owner)} migrates other slots than before.`);
  if (to === owner) return slots;
  return slotsFrom(target.self.importing.filter(({ nodeId }) => nodeId === owner).map(({ slot }) => slot));
}

function changed(what: string): UserError {
  return new UserError('unsafe', `${what} No slot of this step was changed. Heal again.`);
}

async function bringAndClose(request: BringRequest, ends: Ends, isTaking: SlotSet): Promise<number> {
  const { from, to, owner, slots, signal, onKeys, nameOf } = request;
  const all = [...eachSlot(slots)];
  const holding = await slotsHeld(ends.source, all);
  let keys = 0;
  if (holding.length > 0) {
    const closed = holding.filter((slot) => !hasSlot(isTaking, slot));
    if (closed.length > 0) await adopt({ ...ends, from: owner, to }, closed);
    await adopt({ source: ends.owner, target: ends.source, from: owner, to: from }, holding);
    const patienceMs = Math.floor((await readNodeTimeout(ends.source)) * 0.5);
    const isProven = (await proveWay(request, ends, holding[0] ?? 0, patienceMs)) === 'proven';
    for (const slot of holding) {
      const told = (more: number): void => {
        onKeys(keys + more);
      };
      keys += await emptySlot({ ...request, isProven, onKeys: told }, ends, slot, patienceMs);
      if (signal.aborted) return keys;
    }
  }
  const left = await slotsHeld(ends.source, all);
  if (left.length > 0) {
    throw new UserError(
      'unsafe',
      `${nameOf(from)} still holds keys of slots ${formatSlots(slotsFrom(left))}, so none was closed there. Heal again.`,
    );
  }
  await tellOwner(ends.source, all, owner);
  await closeSlots(ends.source, all);
  return keys;
}

/** Whether the giver reaches the receiver at its address, seen by a key that holds nothing (see `proveArrival`). */
async function proveWay(
  { dialer, from, to, targetAddress, nameOf }: BringRequest,
  { source, target }: Ends,
  slot: number,
  patienceMs: number,
): Promise<'proven' | 'unknown'> {
  return await proveArrival({
    source,
    target,
    slot,
    patienceMs,
    isImported: true,
    address: targetAddress,
    credentials: dialer.credentials,
    names: { source: nameOf(from), target: nameOf(to) },
  });
}

/** A server that imported a slot may believe in an owner that is gone; where it hears of it by itself, a refusal harms nothing. */
async function tellOwner(source: NodeConnection, slots: readonly number[], owner: string): Promise<void> {
  await source.pipeline(slots.map((slot): Argument[] => ['CLUSTER', 'SETSLOT', slot, 'NODE', owner]));
}

async function slotsHeld(source: NodeConnection, slots: readonly number[]): Promise<readonly number[]> {
  const replies = await source.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  const refused = replies.find((reply) => reply instanceof Error);
  if (refused !== undefined) throw refused;
  return slots.filter((_, index) => replies[index] !== 0);
}

interface Bringing extends BringRequest {
  /** Whether what the giver's OK says arrived did so at the receiver, and not at another server. */
  readonly isProven: boolean;
}

/** Ends early when the signal is aborted. Returns how many keys the receiver got. */
async function emptySlot(
  request: Bringing,
  { source, target }: Ends,
  slot: number,
  patienceMs: number,
): Promise<number> {
  let [brought, idle] = [0, 0];
  for (;;) {
    const listed = await source.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, keysPerMigrate);
    const keys = Array.isArray(listed) ? listed.filter((key) => Buffer.isBuffer(key)) : [];
    if (keys.length === 0 || request.signal.aborted) return brought;
    const some = await fitting(request, source, slot, keys, patienceMs);
    const copied = await copy(request, source, some, patienceMs);
    const here = await present(request, { source, target }, slot, some, copied);
    if (here.length === 0) {
      if (++idle === triesWithoutProgress)
        throw copied instanceof Error
          ? copied
          : new UserError('failed', `Keys of slot ${slot} do not arrive.`);
      await pause(Math.min(1000, 100 * idle));
      continue;
    }
    idle = 0;
    await untilReplicatedBy(target);
    await askEach(source, here, (key) => ['UNLINK', key]);
    if (copied === 'OK') brought += here.length;
    request.onKeys(brought);
  }
}

/** As many of the keys as one MIGRATE may take. Throws where the first alone would stop its server for too long. */
async function fitting(
  { from, nameOf }: BringRequest,
  source: NodeConnection,
  slot: number,
  keys: readonly Buffer[],
  patienceMs: number,
): Promise<readonly Buffer[]> {
  const sizes = await askEach(source, keys, (key) => ['MEMORY', 'USAGE', key]);
  const taken: Buffer[] = [];
  let bytes = 0;
  for (const [index, key] of keys.entries()) {
    const size = Number(sizes[index]) || 0;
    if (size > patienceMs * bytesPerMillisecond) {
      throw new UserError(
        'unsafe',
        `A key of slot ${slot} on ${nameOf(from)} has about ${bytesText(size)}: moving it would stop its server for longer than half of cluster-node-timeout. Split the key, or raise cluster-node-timeout on all nodes meanwhile.`,
      );
    }
    if (taken.length > 0 && bytes + size > bytesPerMigrate) break;
    taken.push(key);
    bytes += size;
  }
  return taken;
}

/** `OK` where the receiver has got every key just now; an Error that another try may get over. */
async function copy(
  { targetAddress: target, dialer: { credentials } }: BringRequest,
  source: NodeConnection,
  keys: readonly Buffer[],
  timeoutMs: number,
): Promise<'OK' | 'NOKEY' | Error> {
  const command = migrateCommand({ target, credentials, timeoutMs, options: ['COPY'] }, keys);
  const [reply] = await source.pipeline([command]);
  if (reply === 'OK' || reply === 'NOKEY') return reply;
  const refusal = migrateRefusal(reply);
  if (mayPass(refusal)) return refusal;
  throw refusal;
}

/** Which of the keys need not stay where they strayed to. Throws where the receiver has one with another value. */
async function present(
  { to, from, nameOf, isProven }: Bringing,
  { source, target }: Pick<Ends, 'source' | 'target'>,
  slot: number,
  keys: readonly Buffer[],
  copied: 'OK' | 'NOKEY' | Error,
): Promise<readonly Buffer[]> {
  if (isProven && !(copied instanceof Error)) return keys;
  const dump = (key: Buffer): Argument[] => ['DUMP', key];
  const [strayed, there] = await Promise.all([askEach(source, keys, dump), askEach(target, keys, dump)]);
  return keys.filter((_, index) => {
    const [own, other] = [strayed[index], there[index]];
    if (own === null) return true;
    if (!Buffer.isBuffer(own) || !Buffer.isBuffer(other)) return false;
    if (own.equals(other)) return true;
    throw new UserError(
      'unsafe',
      `A key of slot ${slot} has different values on ${nameOf(from)} and ${nameOf(to)}: a client has just written it. Both copies are left. Heal again, which says what to decide.`,
    );
  });
}

/** A server that imports a slot answers only those who ask for each key. */
async function askEach(
  line: NodeConnection,
  keys: readonly Buffer[],
  command: (key: Buffer) => Argument[],
): Promise<readonly unknown[]> {
  const replies = await line.pipelineBuffer(keys.flatMap((key) => [['ASKING'], command(key)]));
  return replies.filter((_, index) => index % 2 === 1);
}

/** Nobody could acknowledge anything where there is no replica. */
async function untilReplicatedBy(target: NodeConnection): Promise<void> {
  const { replication } = await readNodeView(target);
  if (replication.replicas.length === 0) return;
  await untilReplicated(target, () => Promise.resolve(), { pause: () => undefined });
}
