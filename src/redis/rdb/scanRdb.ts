import { UserError } from '../../model/errors.ts';
import { keySlot } from '../../model/keySlot.ts';
import { slotCount } from '../../model/slots.ts';
import { RdbReader, TooLargeValue, type RdbEntry } from './rdbReader.ts';
import { RdbSum } from './rdbSum.ts';
import type { Family } from './values.ts';

/** What an RDB file holds. */
export interface Scanned {
  readonly family: Family;
  /** The types of its values. */
  readonly types: ReadonlySet<number>;
  readonly keys: number;
  /** By slot: at least so much memory its keys take that have not expired. */
  readonly bytesBySlot: Float64Array;
  /** Keys from all over the file. */
  readonly someKeys: readonly Buffer[];
}

/** What every server needs for a key beside its name and value. */
const leastKeyBytes = 20;
const mostSomeKeys = 2_000;

/**
 * Reads a whole file before anything of it is used. Throws a UserError where it is damaged, cut off, has keys of several
 * databases, or a value that is too large, which is named.
 * @param name what users call it
 * @param now milliseconds since the epoch
 */
export async function scanRdb(pieces: AsyncIterable<Buffer>, name: string, now: number): Promise<Scanned> {
  const reader = new RdbReader(name);
  const sum = new RdbSum();
  const content = new Content(name, now);
  try {
    for await (const piece of pieces) {
      sum.add(piece);
      content.add(reader.push(piece));
    }
    content.add(reader.end());
  } catch (error) {
    if (!(error instanceof TooLargeValue)) throw error;
    throw refused(name, `the value of key ${JSON.stringify(error.key.toString())} takes more than 64 MiB.`);
  }
  if (!sum.isRight()) throw refused(name, 'its checksum does not match its content.');
  const { types, keys, bytesBySlot, someKeys } = content;
  return { family: reader.header?.family ?? 'redis', types, keys, bytesBySlot, someKeys };
}

/** What is noted of the keys of a file. */
class Content {
  keys = 0;
  readonly types = new Set<number>();
  readonly bytesBySlot = new Float64Array(slotCount);
  someKeys: Buffer[] = [];
  /** Every so many keys one is noted, and fewer the more there are. */
  #every = 1;
  readonly #name: string;
  readonly #now: number;

  constructor(name: string, now: number) {
    this.#name = name;
    this.#now = now;
  }

  add(entries: readonly RdbEntry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'key') continue;
      const { database, type, key, valueBytes, expiresAt } = entry;
      if (database !== 0)
        throw refused(this.#name, `it has keys in database ${database}. A cluster has database 0 only.`);
      this.types.add(type);
      if (this.keys++ % this.#every === 0) this.#note(key);
      if (expiresAt !== undefined && expiresAt <= this.#now) continue;
      const slot = keySlot(key);
      this.bytesBySlot[slot] = (this.bytesBySlot[slot] ?? 0) + leastKeyBytes + key.length + valueBytes;
    }
  }

  #note(key: Buffer): void {
    this.someKeys.push(Buffer.from(key));
    if (this.someKeys.length < mostSomeKeys) return;
    this.someKeys = this.someKeys.filter((_, index) => index % 2 === 0);
    this.#every *= 2;
  }
}

function refused(name: string, why: string): UserError {
  return new UserError('invalid-input', `${name} cannot be restored: ${why} Nothing was changed.`);
}
