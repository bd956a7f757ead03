import { bytesText } from '../../model/bytes.ts';
import { formatAddress, type Address } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { pause } from '../../model/pause.ts';
import type { LargeKey } from './bigKeys.ts';
import type { Batch, MigratedKeys, MigratePool } from './migratePool.ts';
import type { Share } from './replicaGate.ts';
import type { Tempo } from './tempo.ts';

/** What is needed to migrate the keys of some slots from a source server to a target. */
export interface KeyMigration {
  /** A connection to the source, by which keys are listed. */
  readonly list: NodeConnection;
  readonly pool: MigratePool;
  readonly target: Address;
  readonly tempo: () => Tempo;
  readonly share: Share;
  /** Large keys of these slots that were found before. */
  readonly large: readonly LargeKey[];
  readonly onKeys: (keys: number, bytes: number) => void;
}

/** `replace` and one at a time after a MIGRATE has failed; key by key after it has failed again. */
interface Mode {
  readonly replace: boolean;
  readonly keyByKey: boolean;
}

const plain: Mode = { replace: false, keyByKey: false };
const keysPerListing = 500;
const bytesPerMigrate = 1024 * 1024;
/** Of so many keys of one listing the size of one is asked for, but of so many at the least. */
const keysPerSample = 64;
const fewestSamples = 16;
/** Stands in for a size that the server does not tell, so that batches stay small. */
const unknownSize = 64 * 1024;
const triesWithoutProgress = 4;
/** A target that is starting or has just joined takes keys after a while; so often, a second apart at the most. */
const triesWhileStarting = 30;

/**
 * Moves all keys of slots that are open from source to target; returns how many, and their size. In such slots the
 * source's copy of a key is the true one, so a key that a timed-out MIGRATE left on both servers is sent again with
 * REPLACE. Begins with what was listed before, where that was. Throws UserError where keys stay behind.
 */
export async function migrateKeys(
  migration: KeyMigration,
  slots: readonly number[],
  listed?: readonly Batch[],
): Promise<{ keys: number; bytes: number }> {
  const moved = { keys: 0, bytes: 0 };
  let strikes = 0;
  let mode = plain;
  let left = slots;
  for (let first = listed; ; first = undefined) {
    const batches = first ?? (await listBatches(migration, left, mode));
    if (batches.length === 0) return moved;
    left = [...new Set(batches.map(({ slot }) => slot))];
    const { keys, bytes, refusal } = await migrateAll(migration, batches, mode);
    moved.keys += keys;
    moved.bytes += bytes;
    if (refusal === undefined && keys > 0) {
      strikes = 0;
      left = left.filter((slot) => mayHoldMore(batches, slot));
      if (left.length === 0) return moved;
      await migration.share.room();
      continue;
    }
    strikes++;
    const isStarting = /LOADING|CLUSTERDOWN/.test(refusal?.message ?? '');
    if (strikes >= (isStarting ? triesWhileStarting : triesWithoutProgress))
      throw stuck(migration, batches, refusal);
    mode = { replace: true, keyByKey: strikes > 1 && !isStarting };
    await pause(Math.min(1000, 100 * strikes));
  }
}

/** A slot that was listed whole and migrated is empty; the count that follows would show what is not. */
function mayHoldMore(batches: readonly Batch[], slot: number): boolean {
  const keys = batches.reduce((sum, batch) => sum + (batch.slot === slot ? batch.keys.length : 0), 0);
  return keys >= keysPerListing;
}

/** Lists the keys of slots that need not be open yet: those that come until then are listed when these have moved. */
export async function listKeys(migration: KeyMigration, slots: readonly number[]): Promise<readonly Batch[]> {
  return await listBatches(migration, slots, plain);
}

/** Keys stay bytes: as text, a binary key would be another key. */
async function listBatches(
  { list, tempo, large }: KeyMigration,
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
  const looked = new Map(large.map((key) => [key.key.toString('latin1'), key]));
  const sized = (key: Buffer): Sized => {
    const { bytes, elements } = (looked.size === 0 ? undefined : looked.get(key.toString('latin1'))) ?? {};
    return { key, bytes: bytes ?? sizeOf(key), ...(elements === undefined ? {} : { elements }) };
  };
  const most = mode.keyByKey ? 1 : tempo().keysPerMigrate;
  return found.flatMap(({ slot, keys }) => cut(slot, keys.map(sized), most));
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
  const samples = all ? keys.length : Math.max(fewestSamples, keys.length / keysPerSample);
  const step = Math.ceil(keys.length / samples);
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

interface Sized {
  readonly key: Buffer;
  readonly bytes: number;
  readonly elements?: number;
}

/** In even parts: what is longest is what others wait for. A large key goes by itself, even where many have gone. */
function cut(slot: number, keys: readonly Sized[], most: number): readonly Batch[] {
  const batches: { slot: number; keys: Buffer[]; bytes: number; elements?: number }[] = [];
  const even = Math.ceil(keys.length / Math.ceil(keys.length / most));
  for (const { key, bytes, elements } of keys) {
    const last = batches.at(-1);
    if (last !== undefined && last.keys.length < even && last.bytes + bytes <= bytesPerMigrate) {
      last.keys.push(key);
      last.bytes += bytes;
    } else batches.push({ slot, keys: [key], bytes, ...(elements === undefined ? {} : { elements }) });
  }
  return batches;
}

/** Big keys, and all keys after a failure, go one MIGRATE at a time: only then may each take all the patience. */
async function migrateAll(
  { pool, share, onKeys }: KeyMigration,
  batches: readonly Batch[],
  { replace }: Mode,
): Promise<MigratedKeys> {
  const stop = new AbortController();
  let fatal: Error | undefined;
  const migrated = batches.map(async (batch): Promise<MigratedKeys> => {
    const alone = replace || batch.bytes > bytesPerMigrate;
    try {
      const one = await pool.migrate(batch, { replace, alone, given: stop.signal });
      share.moved(one.keys);
      onKeys(one.keys, one.bytes);
      return one;
    } catch (error) {
      fatal ??= error instanceof Error ? error : new Error(String(error));
      stop.abort();
      return { keys: 0, bytes: 0 };
    }
  });
  // Those under way are waited for, whatever has become of the others: they count as moved.
  const all = sum(await Promise.all(migrated));
  if (fatal !== undefined) throw fatal;
  return all;
}

function sum(parts: readonly MigratedKeys[]): MigratedKeys {
  const keys = parts.reduce((total, part) => total + part.keys, 0);
  const bytes = parts.reduce((total, part) => total + part.bytes, 0);
  const refusal = parts.find((part) => part.refusal !== undefined)?.refusal;
  return refusal === undefined ? { keys, bytes } : { keys, bytes, refusal };
}

function stuck({ target }: KeyMigration, batches: readonly Batch[], refusal: Error | undefined): UserError {
  const [first] = batches;
  const where = `hash slot ${String(first?.slot)}`;
  if (refusal === undefined) {
    return new UserError(
      'unsafe',
      `The source lists keys in ${where} but reports that they do not exist; the slot stays open.`,
    );
  }
  const size = batches.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const big = size > bytesPerMigrate ? ` The largest waiting key has about ${bytesText(size)}.` : '';
  return new UserError(
    refusal.message.startsWith('IOERR') ? 'unreachable' : 'failed',
    `The source could not migrate keys of ${where} to ${formatAddress(target)}: ${refusal.message}.${big}`,
    { cause: refusal },
  );
}
