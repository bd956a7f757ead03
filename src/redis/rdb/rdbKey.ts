import { Cursor } from './cursor.ts';
import { moduleParts, skipValue, type Family } from './values.ts';

/** The bytes that stand before a key and say more of it (redis/src/rdb.h, RDB_OPCODE_*). */
export const attribute = { meta: 243, idle: 248, frequency: 249, expiresAtMs: 252, expiresAt: 253 };

/** Where the parts of an entry stand. */
interface Place {
  readonly bytes: Buffer;
  readonly keyAt: number;
  readonly valueAt: number;
  readonly end: number;
}

/**
 * A key with its value, as it stands in a file. What it gives are bytes of the piece that was read, made when they are
 * asked for: whoever only counts keys pays for none.
 */
export class RdbKey {
  readonly kind = 'key';
  readonly database: number;
  /** When it expires, in ms since the epoch. */
  expiresAt: number | undefined;
  /** For how long it was not asked for, in seconds, where the server evicts by that. */
  idle: number | undefined;
  /** How often it was asked for, as the server counts, where it evicts by that. */
  frequency: number | undefined;
  /** What modules keep of it. */
  meta: Buffer | undefined;
  type = 0;
  #place: Place | undefined;

  constructor(database: number) {
    this.database = database;
  }

  get key(): Buffer {
    const { bytes, keyAt } = this.#read();
    return new Cursor(bytes, keyAt).string();
  }

  /** The type and the value, with what modules keep before them: what RESTORE takes before its footer. */
  get value(): readonly Buffer[] {
    const { bytes, valueAt, end } = this.#read();
    const own = bytes.subarray(valueAt, end);
    return [...(this.meta === undefined ? [] : [this.meta]), Buffer.of(this.type), own];
  }

  /** How long the value is in the file. */
  get valueBytes(): number {
    const { valueAt, end } = this.#read();
    return end - valueAt;
  }

  /** Reads what stands before the value, and steps over the key. */
  readHead(cursor: Cursor): number {
    for (;;) {
      const type = cursor.byte();
      if (type === attribute.expiresAtMs) this.expiresAt = Number(cursor.take(8).readBigInt64LE(0));
      else if (type === attribute.expiresAt) this.expiresAt = cursor.take(4).readInt32LE(0) * 1000;
      else if (type === attribute.idle) this.idle = cursor.length();
      else if (type === attribute.frequency) this.frequency = cursor.byte();
      else if (type === attribute.meta) this.meta = readMeta(cursor);
      else {
        this.type = type;
        const keyAt = cursor.at;
        cursor.skipString();
        return keyAt;
      }
    }
  }

  /** Reads all of it. Throws NeedsMore and NotRdb. */
  read(cursor: Cursor, family: Family): this {
    const keyAt = this.readHead(cursor);
    const valueAt = cursor.at;
    skipValue(cursor, this.type, family);
    this.#place = { bytes: cursor.bytes, keyAt, valueAt, end: cursor.at };
    return this;
  }

  #read(): Place {
    if (this.#place === undefined) throw new Error('the key was not read');
    return this.#place;
  }
}

/** What modules keep of a key, before its type: classes, each with its parts (redis/src/rdb.c, rdbSaveKeyMetadata). */
function readMeta(cursor: Cursor): Buffer {
  const start = cursor.at - 1;
  for (let left = cursor.length(); left > 0; left--) {
    cursor.skip(4);
    moduleParts(cursor);
  }
  return cursor.bytes.subarray(start, cursor.at);
}
