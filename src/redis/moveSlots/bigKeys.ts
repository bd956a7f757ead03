import type { NodeView } from '../../model/nodeView.ts';
import { quantity } from '../../model/quantity.ts';
import { keySlot } from '../../model/keySlot.ts';
import { countSlots, formatSlots, hasSlot, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { parseReplication } from '../nodeView.ts';
import type { Lines } from './lines.ts';
import type { Load } from './speed.ts';

/** A key that is moved by itself, and not at all where that would stop its server for too long. */
export interface LargeKey extends Load {
  readonly key: Buffer;
  readonly slot: number;
}

/** A large key that was left where it is; `worstMs` is what moving it may take. */
export interface BigKey extends LargeKey {
  readonly worstMs: number;
}

/** Finds large keys before their slots are opened. */
export interface LargeKeys {
  in(slots: readonly number[]): Promise<readonly LargeKey[]>;
}

/** Where members are as small as they get, so many bytes for each millisecond can be moved, half the speed assumed. */
const fewestBytesPerMs = 4000;
/** The same for strings, lists and streams, which travel in large pieces. */
const fewestBytesPerMsInPieces = 25_000;
/** What takes less than this share of the time that is allowed is not looked at. */
const smallShare = 1 / 16;
const leastBytes = 1024 * 1024;
const keysPerWrite = 1000;
/** Lists and streams travel in nodes of about this size, whatever their members. */
const bytesPerNode = 2048;

/** Where a smaller share of a server's slots moves, it is quicker to look at their keys than to let it look through all. */
const leastShare = 1 / 16;
const keysPerScan = { replica: 10_000, source: 2000 } as const;
const slowTypes = ['hash', 'set', 'zset'] as const;

/**
 * Looks at keys before they move, and not at all where the whole server holds less than one key would need to be too
 * big. To ask for the size of every key takes about as long as to move it: where only hashes, sets and sorted sets can
 * be too big, the server picks these out. A replica is asked where there is one that is up to date.
 */
export async function lookForLargeKeys(
  lines: Pick<Lines, 'source' | 'dial'>,
  source: NodeView,
  slots: SlotSet,
  longestMs: number,
): Promise<LargeKeys> {
  const limit = longestMs * fewestBytesPerMs;
  if (source.usedMemoryBytes < limit || (globalThis as { noScan?: boolean }).noScan === true)
    return { in: () => Promise.resolve([]) };
  const least = Math.max(leastBytes, limit * smallShare);
  const replica = await dialReplica(lines, source);
  const isAny = source.usedMemoryBytes >= longestMs * fewestBytesPerMsInPieces;
  const share = countSlots(slots) / Math.max(1, countSlots(source.self.slots));
  if (!isAny && share >= leastShare) {
    const found = await pickOut(replica ?? lines.source, slots, {
      least,
      count: replica === undefined ? keysPerScan.source : keysPerScan.replica,
    }).catch(() => undefined);
    if (found !== undefined)
      return { in: (those) => Promise.resolve(found.filter(({ slot }) => those.includes(slot))) };
  }
  return {
    in: async (slots) => {
      if (replica === undefined) return await scan(lines.source, slots, least);
      // A replica that goes away is no reason to stop.
      return await scan(replica, slots, least).catch(() => scan(lines.source, slots, least));
    },
  };
}

/** A connection to a replica of the source that has it all and may be read; undefined where there is none. */
async function dialReplica(
  lines: Pick<Lines, 'dial'>,
  { self, others }: NodeView,
): Promise<NodeConnection | undefined> {
  for (const { id, masterId, flags, linkState } of others) {
    if (masterId !== self.id || flags.includes('fail') || linkState !== 'connected') continue;
    try {
      const connection = await lines.dial(id);
      const [ready, replication] = await connection.pipeline([['READONLY'], ['INFO', 'replication']]);
      if (ready === 'OK' && parseReplication(replication).linkUp === true) return connection;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** By SCAN with TYPE, which Redis 6 brought: fails where a server does not know it. */
async function pickOut(
  connection: NodeConnection,
  slots: SlotSet,
  { least, count }: { readonly least: number; readonly count: number },
): Promise<readonly LargeKey[]> {
  const found = slowTypes.map(async (type) => {
    const sized: Sized[] = [];
    let cursor = '0';
    do {
      const reply = await connection.callBuffer('SCAN', cursor, 'COUNT', count, 'TYPE', type);
      const [next, listed] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
      if (!Buffer.isBuffer(next) || !Array.isArray(listed)) throw new Error('SCAN did not list keys');
      cursor = next.toString();
      const keys = listed
        .filter((key) => Buffer.isBuffer(key))
        .map((key) => ({ key, slot: keySlot(key) }))
        .filter(({ slot }) => hasSlot(slots, slot));
      sized.push(...(await sizesOf(connection, keys, least)));
    } while (cursor !== '0');
    return sized;
  });
  // SCAN may list a key twice.
  const all = new Map((await Promise.all(found)).flat().map((key) => [key.key.toString('latin1'), key]));
  return await withElements(connection, [...all.values()]);
}

type Sized = Omit<LargeKey, 'elements'>;

/** Every key of these slots. */
async function scan(
  connection: NodeConnection,
  slots: readonly number[],
  least: number,
): Promise<readonly LargeKey[]> {
  const found: Sized[] = [];
  const counts = await connection.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  for (const [index, slot] of slots.entries()) {
    const count = Number(counts[index]);
    if (!(count > 0)) continue;
    const listed = await connection.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, count);
    const keys = Array.isArray(listed) ? listed.filter((key) => Buffer.isBuffer(key)) : [];
    found.push(
      ...(await sizesOf(
        connection,
        keys.map((key) => ({ key, slot })),
        least,
      )),
    );
  }
  return await withElements(connection, found);
}

/** MEMORY USAGE looks at five members of a key and multiplies; to look at all would itself stop the server. */
async function sizesOf(
  connection: NodeConnection,
  keys: readonly { readonly key: Buffer; readonly slot: number }[],
  least: number,
): Promise<readonly Sized[]> {
  const found: Sized[] = [];
  for (let start = 0; start < keys.length; start += keysPerWrite) {
    const some = keys.slice(start, start + keysPerWrite);
    const sizes = await connection.pipeline(
      some.map(({ key }): Argument[] => ['MEMORY', 'USAGE', key, 'SAMPLES', 5]),
    );
    for (const [place, key] of some.entries()) {
      const bytes = sizes[place];
      if (typeof bytes === 'number' && bytes > least) found.push({ ...key, bytes });
    }
  }
  return found;
}

async function withElements(
  connection: NodeConnection,
  keys: readonly Sized[],
): Promise<readonly LargeKey[]> {
  return await Promise.all(
    keys.map(async (key) => ({ ...key, elements: await countElements(connection, key) })),
  );
}

const lengthOf: Readonly<Record<string, string>> = { hash: 'HLEN', set: 'SCARD', zset: 'ZCARD' };

/** How many parts of a key are written and read one by one. A type that is not known is taken for the slowest. */
async function countElements(
  connection: NodeConnection,
  { key, bytes }: Omit<LargeKey, 'elements'>,
): Promise<number> {
  const type = String(await connection.call('TYPE', key).catch(() => 'unknown'));
  if (type === 'string') return 1;
  if (type === 'list' || type === 'stream') return Math.ceil(bytes / bytesPerNode);
  const verb = lengthOf[type];
  const length =
    verb === undefined ? undefined : Number(await connection.call(verb, key).catch(() => Number.NaN));
  return length === undefined || Number.isNaN(length) ? Math.ceil(bytes / 48) : length;
}

/** What a person is told about keys that stay, and their slots with them. */
export function describeBigKeys(keys: readonly BigKey[], nodeTimeoutMs: number): string {
  const [biggest, ...others] = [...keys].sort((one, other) => other.worstMs - one.worstMs);
  if (biggest === undefined) return '';
  const more = others.length > 0 ? ` and ${quantity(others.length, 'more key')}` : '';
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
  const what = `The key ${keyText(biggest.key)} in slot ${biggest.slot} (about ${mebibytes(biggest.bytes)}, ${quantity(biggest.elements, 'element')})${more}`;
  return `${what} would stop the source and the target for up to ${seconds(biggest.worstMs)} while moving. That is more than half of cluster-node-timeout (${seconds(nodeTimeoutMs)}), so the other nodes might fail them over.`;
}

/** What to do about keys that stay. */
export function adviceOn(keys: readonly BigKey[]): string {
  const longest = Math.max(...keys.map(({ worstMs }) => worstMs));
  const enough = Math.ceil((2 * longest) / 1000) * 1000 + 1000;
  const one = keys.length === 1;
  return `Set cluster-node-timeout to ${enough} on all nodes with “Set Configuration…” while you move ${one ? 'it' : 'them'}, or split or delete the ${one ? 'key' : 'keys'}. Then run it again.`;
}

/** Such as "5,7-9". */
export function slotsOf(keys: readonly LargeKey[]): SlotSet {
  return slotsFrom(keys.map(({ slot }) => slot));
}

export function slotListOf(keys: readonly LargeKey[]): string {
  const slots = [...new Set(keys.map(({ slot }) => slot))];
  return `${slots.length === 1 ? 'Slot' : 'Slots'} ${formatSlots(slotsFrom(slots))}`;
}

/** A key as people read it, short and with what cannot be printed escaped. */
function keyText(key: Buffer): string {
  const text = key.toString('utf8');
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576).toLocaleString('en-US')} MiB`;
}
