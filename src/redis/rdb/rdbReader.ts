import { UserError } from '../../model/errors.ts';
import { Cursor, NeedsMore, NotRdb } from './cursor.ts';
import { moduleParts, skipValue, type Family } from './values.ts';

/** A key with its value, as it stands in a file. Its bytes are those of the piece that was read: they are to be used at once. */
export interface RdbKey {
  readonly kind: 'key';
  readonly database: number;
  readonly key: Buffer;
  /** When it expires, in ms since the epoch. */
  readonly expiresAt?: number;
  /** For how long it was not asked for, in seconds, where the server evicts by that. */
  readonly idle?: number;
  /** How often it was asked for, as the server counts, where it evicts by that. */
  readonly frequency?: number;
  /** The type and the value, with what modules said of the key before: what RESTORE takes before its footer. */
  readonly value: Buffer;
}

/** A library of functions, as its code. */
interface RdbFunctions {
  readonly kind: 'functions';
  readonly code: Buffer;
}

export type RdbEntry = RdbKey | RdbFunctions;

/** What the first bytes of a file say. */
export interface RdbHeader {
  readonly family: Family;
  readonly version: number;
}

/** The most that a key and its value may take here, since they are held whole. */
const mostEntryBytes = 64 * 1024 * 1024;

/** Thrown where a value is larger than may be held; nothing says that the file is damaged. */
export class TooLargeValue extends UserError {
  readonly key: Buffer;

  constructor(key: Buffer) {
    super('invalid-input', 'A value takes more than 64 MiB.');
    this.key = key;
  }
}

const opcode = {
  keyMeta: 243,
  slotInfo: 244,
  functions: 245,
  moduleAux: 247,
  idle: 248,
  frequency: 249,
  aux: 250,
  sizes: 251,
  expiresAtMs: 252,
  expiresAt: 253,
  database: 254,
  end: 255,
};

/**
 * Reads an RDB file from pieces, in memory that is bounded by its largest value. Every value is stepped through; the sum
 * at the end is for RdbSum. Throws UserError `invalid-input` that says at which byte a file cannot be read, and
 * TooLargeValue.
 */
export class RdbReader {
  header: RdbHeader | undefined;
  /** The file's end was read. */
  isComplete = false;
  readonly #name: string;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** So many bytes have to be there before it is worth trying again. */
  #wanted = 0;
  #offset = 0;
  #database = 0;
  #hasEnded = false;

  /** @param name what users call the file */
  constructor(name: string) {
    this.#name = name;
  }

  /** Takes the next piece, and returns what it completes. */
  push(piece: Buffer): readonly RdbEntry[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    return this.#bytes < this.#wanted ? [] : this.#read();
  }

  /** There are no more pieces. */
  end(): readonly RdbEntry[] {
    const entries = this.#read();
    if (!this.isComplete) throw this.#damaged('it ends too early');
    return entries;
  }

  #read(): readonly RdbEntry[] {
    const [only] = this.#pieces;
    const bytes = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
    const cursor = new Cursor(bytes);
    const entries: RdbEntry[] = [];
    let start = 0;
    this.#wanted = 0;
    try {
      while (!this.isComplete) {
        const entry = this.#next(cursor);
        start = cursor.at;
        if (entry !== undefined) entries.push(entry);
      }
      if (start < bytes.length) throw new NotRdb('something follows its end');
    } catch (error) {
      if (error instanceof NotRdb) throw this.#damaged(error.message, start);
      if (!(error instanceof NeedsMore)) throw error;
      this.#wanted = Math.max(error.bytes - start, Math.ceil((bytes.length - start) * 1.5));
      if (this.#wanted > mostEntryBytes) throw this.#tooLarge(new Cursor(bytes, start));
    }
    this.#offset += start;
    this.#pieces = start < bytes.length ? [bytes.subarray(start)] : [];
    this.#bytes = bytes.length - start;
    return entries;
  }

  /** One step of the file: its header, something that is no key, a key with its value, or its end. */
  #next(cursor: Cursor): RdbEntry | undefined {
    if (this.header === undefined) {
      this.header = readHeader(cursor);
      return undefined;
    }
    if (this.#hasEnded) {
      if (this.header.version >= 5) cursor.skip(8);
      this.isComplete = true;
      return undefined;
    }
    const first = cursor.byte();
    cursor.at -= 1;
    if (first === opcode.expiresAt || first === opcode.expiresAtMs) return this.#key(cursor, this.header);
    if (first === opcode.idle || first === opcode.frequency) return this.#key(cursor, this.header);
    if (first === opcode.keyMeta && this.header.family === 'redis') return this.#key(cursor, this.header);
    if (first < opcode.keyMeta) return this.#key(cursor, this.header);
    return this.#other(cursor);
  }

  /** What stands between keys. */
  #other(cursor: Cursor): RdbEntry | undefined {
    switch (cursor.byte()) {
      case opcode.keyMeta:
        // Valkey: slots that were being imported, by a name and ranges.
        cursor.skipString();
        for (let left = cursor.length() * 2; left > 0; left--) cursor.skipNumber();
        return undefined;
      case opcode.slotInfo:
        for (let left = 3; left > 0; left--) cursor.skipNumber();
        return undefined;
      case opcode.functions:
        return { kind: 'functions', code: cursor.string() };
      case opcode.moduleAux:
        for (let left = 3; left > 0; left--) cursor.skipNumber();
        moduleParts(cursor);
        return undefined;
      case opcode.aux:
        cursor.skipString();
        cursor.skipString();
        return undefined;
      case opcode.sizes:
        cursor.skipNumber();
        cursor.skipNumber();
        return undefined;
      case opcode.database:
        this.#database = cursor.length();
        return undefined;
      case opcode.end:
        this.#hasEnded = true;
        return undefined;
      default:
        throw new NotRdb('an entry has an unknown kind');
    }
  }

  #key(cursor: Cursor, { family }: RdbHeader): RdbKey {
    const { key, type, meta, ...attributes } = readKey(cursor);
    const start = cursor.at;
    skipValue(cursor, type, family);
    const bytes = cursor.bytes.subarray(start, cursor.at);
    const value = Buffer.concat(
      meta === undefined ? [Buffer.of(type), bytes] : [meta, Buffer.of(type), bytes],
    );
    return { kind: 'key', database: this.#database, key, ...attributes, value };
  }

  /** @param cursor where an entry begins of which not all is there */
  #tooLarge(cursor: Cursor): Error {
    try {
      return new TooLargeValue(Buffer.from(readKey(cursor).key));
    } catch {
      return this.#damaged('an entry is larger than 64 MiB');
    }
  }

  #damaged(why: string, at = 0): UserError {
    return new UserError(
      'invalid-input',
      `${this.#name} cannot be read: ${why} (byte ${(this.#offset + at).toLocaleString('en-US')}).`,
    );
  }
}

interface KeyHead {
  readonly key: Buffer;
  readonly type: number;
  readonly meta?: Buffer;
  readonly expiresAt?: number;
  readonly idle?: number;
  readonly frequency?: number;
}

/** What stands before a value: when it expires, how it was used, what modules keep of it, its type, and the key. */
function readKey(cursor: Cursor): KeyHead {
  const head: { -readonly [Name in keyof KeyHead]?: KeyHead[Name] } = {};
  for (;;) {
    const type = cursor.byte();
    if (type === opcode.expiresAtMs) head.expiresAt = Number(cursor.take(8).readBigInt64LE(0));
    else if (type === opcode.expiresAt) head.expiresAt = cursor.take(4).readInt32LE(0) * 1000;
    else if (type === opcode.idle) head.idle = cursor.length();
    else if (type === opcode.frequency) head.frequency = cursor.byte();
    else if (type === opcode.keyMeta) head.meta = readMeta(cursor);
    else return { ...head, type, key: cursor.string() };
  }
}

function readHeader(cursor: Cursor): RdbHeader {
  const magic = cursor.take(9).toString('latin1');
  const redis = /^REDIS(\d{4})$/.exec(magic)?.[1];
  const valkey = /^VALKEY(\d{3})$/.exec(magic)?.[1];
  if (redis !== undefined) return { family: 'redis', version: Number(redis) };
  if (valkey !== undefined) return { family: 'valkey', version: Number(valkey) };
  throw new NotRdb('it is no RDB file');
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
