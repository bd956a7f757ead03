import type { NodeView } from '../../model/nodeView.ts';
import { keySlot } from '../../model/keySlot.ts';
import { countSlots, hasSlot, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { parseReplication } from '../nodeView.ts';
import { scan, sizesOf, withElements, type Sized } from './keySizes.ts';
import type { MoveConnections } from './connections.ts';
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

/** Where a smaller share of a server's slots moves, it is quicker to look at their keys than to let it look through all. */
const leastShare = 1 / 16;
const keysPerScan = 2000;
/** What a server looks at without answering others: about 2 ms on the source, and 10 ms on a replica. */
const keysPerScript = { replica: 5000, source: 1000 } as const;
const slotsPerScript = 512;
const slowTypes = ['hash', 'set', 'zset'] as const;

/**
 * Looks at keys before they move, and not at all where the whole server holds less than one key would need to be too
 * big. A replica that is up to date is asked for a block while the one before it moves. Without a replica the source
 * picks all of them out at once where only hashes, sets and sorted sets can be too big: that is quickest.
 */
export async function lookForLargeKeys(
  connections: Pick<MoveConnections, 'source' | 'dial'>,
  source: NodeView,
  slots: SlotSet,
  longestMs: number,
): Promise<LargeKeys> {
  const limit = longestMs * fewestBytesPerMs;
  if (source.usedMemoryBytes < limit) return { in: () => Promise.resolve([]) };
  const least = Math.max(leastBytes, limit * smallShare);
  const replica = await dialReplica(connections, source);
  const isAny = source.usedMemoryBytes >= longestMs * fewestBytesPerMsInPieces;
  const share = countSlots(slots) / Math.max(1, countSlots(source.self.slots));
  if (replica === undefined && !isAny && share >= leastShare) {
    const found = await pickOut(connections.source, slots, least).catch(() => undefined);
    if (found !== undefined)
      return { in: (those) => Promise.resolve(found.filter(({ slot }) => those.includes(slot))) };
  }
  const bySource = largeKeysOf(connections.source, least, keysPerScript.source);
  if (replica === undefined) return bySource;
  const byReplica = largeKeysOf(replica, least, keysPerScript.replica);
  // A replica that goes away is no reason to stop.
  return { in: (those) => byReplica.in(those).catch(() => bySource.in(those)) };
}

/** A connection to a replica of the source that has it all and may be read; undefined where there is none. */
async function dialReplica(
  connections: Pick<MoveConnections, 'dial'>,
  { self, others }: NodeView,
): Promise<NodeConnection | undefined> {
  for (const { id, masterId, flags, linkState } of others) {
    if (masterId !== self.id || flags.includes('fail') || linkState !== 'connected') continue;
    try {
      const connection = await connections.dial(id);
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
  least: number,
): Promise<readonly LargeKey[]> {
  const found = slowTypes.map(async (type) => {
    const sized: Sized[] = [];
    let cursor = '0';
    do {
      const reply = await connection.callBuffer('SCAN', cursor, 'COUNT', keysPerScan, 'TYPE', type);
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

/**
 * Looks at the keys of slots in the server, which takes a tenth of the time that it takes to ask for each of them, from
 * slot to slot until it has looked at so many keys. Replies with the number of slots, then slot, key and bytes of each
 * large key.
 */
const lookScript = `
local least, left = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = {0}
for at = 3, #ARGV do
  local slot = ARGV[at]
  local count = redis.call('CLUSTER', 'COUNTKEYSINSLOT', slot)
  if count > left then break end
  left = left - count
  if count > 0 then
    for _, key in ipairs(redis.call('CLUSTER', 'GETKEYSINSLOT', slot, count)) do
      local bytes = redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 5)
      if bytes and bytes > least then
        found[#found + 1] = tonumber(slot)
        found[#found + 1] = key
        found[#found + 1] = bytes
      end
    end
  end
  found[1] = found[1] + 1
end
return found`;

/** Looks by script as long as the server runs it: an ACL may forbid scripts. */
function largeKeysOf(connection: NodeConnection, least: number, keysPerScript: number): LargeKeys {
  let runsScripts = true;
  return {
    in: async (slots) => {
      if (!runsScripts) return await scan(connection, slots, least);
      try {
        return await lookByScript(connection, slots, { least, keysPerScript });
      } catch {
        runsScripts = false;
        return await scan(connection, slots, least);
      }
    },
  };
}

async function lookByScript(
  connection: NodeConnection,
  slots: readonly number[],
  { least, keysPerScript }: { readonly least: number; readonly keysPerScript: number },
): Promise<readonly LargeKey[]> {
  const found: Sized[] = [];
  const crowded: number[] = [];
  for (let left = slots; left.length > 0;) {
    const some = left.slice(0, slotsPerScript);
    const reply = await connection.callBuffer('EVAL', lookScript, 0, least, keysPerScript, ...some);
    const [looked, ...large] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    if (typeof looked !== 'number') throw new Error('EVAL did not list keys');
    for (let at = 0; at < large.length; at += 3) {
      const [slot, key, bytes] = large.slice(at, at + 3);
      if (typeof slot === 'number' && Buffer.isBuffer(key) && typeof bytes === 'number')
        found.push({ slot, key, bytes });
    }
    const [first] = some;
    if (looked === 0 && first !== undefined) crowded.push(first);
    left = left.slice(Math.max(1, looked));
  }
  const ofCrowded = crowded.length === 0 ? [] : await scan(connection, crowded, least);
  return [...(await withElements(connection, found)), ...ofCrowded];
}
