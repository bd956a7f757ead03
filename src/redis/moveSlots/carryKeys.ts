import { formatAddress, type Address } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Argument, Credentials, NodeConnection } from '../nodeConnection.ts';
import { pause } from '../pause.ts';

/** What it takes to carry keys from a source server to a target. All connections lead to the source. */
export interface Carriage {
  readonly list: NodeConnection;
  readonly carriers: readonly NodeConnection[];
  /** The target as the source server reaches it. */
  readonly target: Address;
  readonly credentials: Credentials;
  /** How long the source may stand still for MIGRATE at the worst, well below cluster-node-timeout; milliseconds. */
  readonly patienceMs: number;
  /** How many MIGRATEs of the whole move may wait at the source at once; they run there one after another. */
  readonly inFlight: number;
}

interface Batch {
  readonly slot: number;
  readonly keys: readonly Buffer[];
  readonly bytes: number;
}

/** `replace` and one at a time after a MIGRATE has failed; key by key after it has failed again. */
interface Mode {
  readonly replace: boolean;
  readonly keyByKey: boolean;
}

const keysPerListing = 500;
const keysPerMigrate = 100;
const bytesPerMigrate = 1024 * 1024;
/** Keys of one listing whose size is asked for. */
const sampledKeys = 64;
/** Stands in for a size that the server does not tell, so that batches stay small. */
const unknownSize = 64 * 1024;
/** MIGRATEs that one carrier sends in one write. */
export const batchesPerWrite = 2;
const triesWithoutProgress = 4;

/**
 * Moves all keys of slots that are open from source to target; returns how many. In such slots the source's copy of a
 * key is the true one, so a key that a timed-out MIGRATE left on both servers is sent again with REPLACE. Throws
 * UserError where keys stay behind.
 */
export async function carryKeys(carriage: Carriage, slots: readonly number[]): Promise<number> {
  let moved = 0;
  let strikes = 0;
  let mode: Mode = { replace: false, keyByKey: false };
  let left = slots;
  for (;;) {
    const batches = await listBatches(carriage, left, mode);
    if (batches.length === 0) return moved;
    left = [...new Set(batches.map(({ slot }) => slot))];
    const { keys, refusal } = await carryAll(carriage, batches, mode);
    moved += keys;
    if (refusal === undefined && keys > 0) {
      strikes = 0;
      continue;
    }
    strikes++;
    if (strikes === triesWithoutProgress) throw stuck(carriage, batches, refusal);
    mode = { replace: true, keyByKey: strikes > 1 };
    await pause(100 * strikes);
  }
}

/** One MIGRATE can take keys of one slot only. Keys stay bytes: as text, a binary key would be another key. */
async function listBatches(
  { list }: Carriage,
  slots: readonly number[],
  mode: Mode,
): Promise<readonly Batch[]> {
  const listings = await list.pipelineBuffer(
    slots.map((slot): Argument[] => ['CLUSTER', 'GETKEYSINSLOT', slot, keysPerListing]),
  );
  const found = slots.map((slot, index) => ({ slot, keys: keysOf(listings[index]) }));
  const sizeOf = await measure(
    list,
    found.flatMap(({ keys }) => keys),
    mode.replace,
  );
  return found.flatMap(({ slot, keys }) =>
    cut(
      slot,
      keys.map((key) => ({ key, bytes: sizeOf(key) })),
      mode.keyByKey ? 1 : keysPerMigrate,
    ),
  );
}

/**
 * To ask for the size of every key takes as long as to move them, so a sample stands for all, and the short timeout
 * of MIGRATE finds big keys that it missed; only after such a failure is every key measured.
 */
async function measure(
  list: NodeConnection,
  keys: readonly Buffer[],
  all: boolean,
): Promise<(key: Buffer) => number> {
  const step = all ? 1 : Math.ceil(keys.length / sampledKeys);
  const sample = keys.filter((_, index) => index % step === 0);
  const replies = await list.pipeline(sample.map((key): Argument[] => ['MEMORY', 'USAGE', key]));
  const known = new Map<Buffer, number>();
  for (const [index, key] of sample.entries()) {
    const size = replies[index];
    if (typeof size === 'number') known.set(key, size);
  }
  const total = [...known.values()].reduce((before, size) => before + size, 0);
  const usual = known.size === 0 ? unknownSize : total / known.size;
  return (key) => known.get(key) ?? usual;
}

function keysOf(listing: unknown): readonly Buffer[] {
  if (listing instanceof Error) throw listing;
  if (!Array.isArray(listing))
    throw new UserError('failed', 'The server did not list the keys of a hash slot.');
  return listing.filter((key) => Buffer.isBuffer(key));
}

function cut(slot: number, keys: readonly { key: Buffer; bytes: number }[], most: number): readonly Batch[] {
  const batches: { slot: number; keys: Buffer[]; bytes: number }[] = [];
  for (const { key, bytes } of keys) {
    const last = batches.at(-1);
    if (last !== undefined && last.keys.length < most && last.bytes + bytes <= bytesPerMigrate) {
      last.keys.push(key);
      last.bytes += bytes;
    } else batches.push({ slot, keys: [key], bytes });
  }
  return batches;
}

interface Carried {
  readonly keys: number;
  /** A refusal that another try may get over. */
  readonly refusal?: Error;
}

/** Big keys, and all keys after a failure, go one MIGRATE at a time: only then may each take all the patience. */
async function carryAll(carriage: Carriage, batches: readonly Batch[], { replace }: Mode): Promise<Carried> {
  const isSmall = (batch: Batch): boolean => !replace && batch.bytes <= bytesPerMigrate;
  const small = batches.filter(isSmall);
  const shared = await Promise.all(
    carriage.carriers.map(async (carrier) => {
      const carried: Carried[] = [];
      while (small.length > 0) {
        const timeout = Math.max(100, Math.floor(carriage.patienceMs / carriage.inFlight));
        carried.push(
          await migrate(carriage, carrier, small.splice(0, batchesPerWrite), { replace, timeout }),
        );
      }
      return sum(carried);
    }),
  );
  const alone: Carried[] = [];
  for (const batch of batches.filter((candidate) => !isSmall(candidate))) {
    alone.push(await migrate(carriage, carriage.list, [batch], { replace, timeout: carriage.patienceMs }));
  }
  return sum([...shared, ...alone]);
}

function sum(parts: readonly Carried[]): Carried {
  const keys = parts.reduce((total, part) => total + part.keys, 0);
  const refusal = parts.find((part) => part.refusal !== undefined)?.refusal;
  return refusal === undefined ? { keys } : { keys, refusal };
}

async function migrate(
  { target, credentials }: Carriage,
  carrier: NodeConnection,
  batches: readonly Batch[],
  { replace, timeout }: { replace: boolean; timeout: number },
): Promise<Carried> {
  const { username, password } = credentials;
  const options: Argument[] = replace ? ['REPLACE'] : [];
  if (password !== undefined) {
    options.push(...(username === undefined ? ['AUTH', password] : ['AUTH2', username, password]));
  }
  const replies = await carrier.pipeline(
    batches.map(({ keys }): Argument[] => {
      return ['MIGRATE', target.host, target.port, '', 0, timeout, ...options, 'KEYS', ...keys];
    }),
  );
  return sum(replies.map((reply, index) => judge(reply, batches[index]?.keys.length ?? 0)));
}

/** NOKEY is no failure: the keys expired meanwhile, and the next listing shows whether that is true. */
function judge(reply: unknown, keys: number): Carried {
  if (reply === 'OK') return { keys };
  if (reply === 'NOKEY') return { keys: 0 };
  const refusal = reply instanceof Error ? reply : new Error(`unexpected reply to MIGRATE: ${String(reply)}`);
  if (/^IOERR|BUSYKEY|CLUSTERDOWN|LOADING|TRYAGAIN/.test(refusal.message)) return { keys: 0, refusal };
  throw refusal;
}

function stuck({ target }: Carriage, batches: readonly Batch[], refusal: Error | undefined): UserError {
  const [first] = batches;
  const where = `hash slot ${String(first?.slot)}`;
  if (refusal === undefined) {
    return new UserError(
      'unsafe',
      `The source lists keys in ${where} and says at the same time that they do not exist; the slot stays open.`,
    );
  }
  const size = batches.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const big =
    size > bytesPerMigrate ? ` The biggest key waiting has about ${Math.round(size / 1e6)} MB.` : '';
  return new UserError(
    refusal.message.startsWith('IOERR') ? 'unreachable' : 'failed',
    `The source could not hand keys of ${where} to ${formatAddress(target)}: ${refusal.message}.${big}`,
    { cause: refusal },
  );
}
