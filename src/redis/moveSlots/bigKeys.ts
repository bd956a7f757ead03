import type { NodeView } from '../../model/nodeView.ts';
import { hasSlot, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { Argument, NodeConnection } from '../nodeConnection.ts';
import { parseReplication } from '../nodeView.ts';
import type { Lines } from './lines.ts';

/** A key that would stop its server for too long while it moves. */
export interface BigKey {
  readonly key: Buffer;
  readonly slot: number;
  readonly bytes: number;
}

/** Finds big keys before their slots are opened. */
export interface BigKeys {
  in(slots: readonly number[]): Promise<readonly BigKey[]>;
}

/** What MIGRATE gets through, as seen of the slowest kind: a hash of 225 MB stopped its source for 4.3 s. */
const bytesPerMillisecond = 50_000;
const keysPerWrite = 1000;

/**
 * Looks at every key before it moves, which takes about as long as to move it, so it is done by a replica where there
 * is one that is up to date, and not at all where the whole server holds less than one key would need to be too big.
 */
export async function lookForBigKeys(lines: Lines, source: NodeView, longestMs: number): Promise<BigKeys> {
  const limit = longestMs * bytesPerMillisecond;
  if (source.usedMemoryBytes < limit) return { in: () => Promise.resolve([]) };
  const replica = await dialReplica(lines, source);
  return { in: (slots) => scan(replica ?? lines.source, slots, limit) };
}

/** A connection to a replica of the source that has it all and may be read; undefined where there is none. */
async function dialReplica(lines: Lines, { self, others }: NodeView): Promise<NodeConnection | undefined> {
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

/** MEMORY USAGE looks at five members of a key and multiplies; to look at all would itself stop the server. */
async function scan(
  connection: NodeConnection,
  slots: readonly number[],
  limit: number,
): Promise<readonly BigKey[]> {
  const found: BigKey[] = [];
  const counts = await connection.pipeline(
    slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  for (const [index, slot] of slots.entries()) {
    const count = Number(counts[index]);
    if (!(count > 0)) continue;
    const listed = await connection.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, count);
    const keys = Array.isArray(listed) ? listed.filter((key) => Buffer.isBuffer(key)) : [];
    for (let start = 0; start < keys.length; start += keysPerWrite) {
      const some = keys.slice(start, start + keysPerWrite);
      const sizes = await connection.pipeline(
        some.map((key): Argument[] => ['MEMORY', 'USAGE', key, 'SAMPLES', 5]),
      );
      for (const [place, key] of some.entries()) {
        const bytes = sizes[place];
        if (typeof bytes === 'number' && bytes > limit) found.push({ key, slot, bytes });
      }
    }
  }
  return found;
}

/** What a person is told about keys that stayed, and their slots with them. */
export function describeBigKeys(keys: readonly BigKey[], longestMs: number): string {
  const [biggest] = [...keys].sort((one, other) => other.bytes - one.bytes);
  if (biggest === undefined) return '';
  const text = biggest.key.toString('utf8');
  const name = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  const more = keys.length > 1 ? ` (and ${keys.length - 1} more)` : '';
  return `The key ${name} in slot ${biggest.slot}${more} has about ${Math.round(biggest.bytes / 1e6)} MB: moving it would stop its server for longer than half of cluster-node-timeout (${longestMs} ms), and the others might take it for dead.`;
}

export function withoutBigKeys(slots: SlotSet, keys: readonly BigKey[]): readonly number[] {
  const big = slotsFrom(keys.map(({ slot }) => slot));
  return slots.flatMap(([start, end]) =>
    Array.from({ length: end - start + 1 }, (_, index) => start + index).filter(
      (slot) => !hasSlot(big, slot),
    ),
  );
}
