import { UserError } from '../../model/errors.ts';
import { Cursor, NeedsMore, NotRdb } from './cursor.ts';
import { attribute, RdbKey } from './rdbKey.ts';
import { moduleParts, type Family } from './values.ts';

/** A library of functions, as its code. */
interface RdbFunctions {
  readonly kind: 'functions';
  readonly code: Buffer;
}

export type { RdbKey };
export type RdbEntry = RdbKey | RdbFunctions;

/** What the first bytes of a file say. */
export interface RdbHeader {
  readonly family: Family;
  readonly version: number;
}

/** The most that a key and its value may take here, since they are held whole. */
const mostEntryBytes = 64 * 1024 * 1024;

/** What is larger is put together in one place as it comes, instead of being held twice. */
const largeBytes = 1024 * 1024;

/** Thrown where a value is larger than may be held; nothing says that the file is damaged. */
export class TooLargeValue extends UserError {
  readonly key: Buffer;

  constructor(key: Buffer) {
    super('invalid-input', 'A value takes more than 64 MiB.');
    this.key = key;
  }
}

/** What stands between keys (redis/src/rdb.h, RDB_OPCODE_*). */
const opcode = {
  slotImport: 243,
  slotInfo: 244,
  functions: 245,
  moduleAux: 247,
  aux: 250,
  sizes: 251,
  database: 254,
  end: 255,
};
const firstOpcode = 243;
const attributes: ReadonlySet<number> = new Set([
  attribute.idle,
  attribute.frequency,
  attribute.expiresAt,
  attribute.expiresAtMs,
]);

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
  /** Bytes that are being put together, of which so many are there. */
  #large: { readonly bytes: Buffer; length: number } | undefined;
  #offset = 0;
  #database = 0;
  #hasEnded = false;

  /** @param name what users call the file */
  constructor(name: string) {
    this.#name = name;
  }

  /** Takes the next piece, and returns what it completes. */
  push(piece: Buffer): readonly RdbEntry[] {
    const large = this.#large;
    if (large !== undefined) {
      const taken = piece.copy(large.bytes, large.length);
      large.length += taken;
      if (large.length < large.bytes.length) return [];
      const entries = this.#readLarge(large.bytes);
      return taken === piece.length ? entries : [...entries, ...this.push(piece.subarray(taken))];
    }
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    return this.#bytes < this.#wanted ? [] : this.#read();
  }

  /** There are no more pieces. */
  end(): readonly RdbEntry[] {
    const large = this.#large;
    const entries =
      large === undefined ? this.#read() : this.#readLarge(large.bytes.subarray(0, large.length));
    if (!this.isComplete) throw this.#damaged('it ends too early');
    return entries;
  }

  #readLarge(bytes: Buffer): readonly RdbEntry[] {
    this.#large = undefined;
    this.#pieces = [bytes];
    this.#bytes = bytes.length;
    return this.#read();
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
      const more = Math.min(mostEntryBytes, Math.ceil((bytes.length - start) * 1.5));
      this.#wanted = Math.max(error.bytes - start, more);
      if (this.#wanted > mostEntryBytes) throw this.#tooLarge(new Cursor(bytes, start));
    }
    this.#offset += start;
    this.#keep(bytes.subarray(start));
    return entries;
  }

  #keep(rest: Buffer): void {
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    if (this.#wanted <= Math.max(largeBytes, rest.length)) return;
    const bytes = Buffer.allocUnsafe(this.#wanted);
    this.#large = { bytes, length: rest.copy(bytes) };
    this.#pieces = [];
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
    const isMeta = first === attribute.meta && this.header.family === 'redis';
    if (first < firstOpcode || attributes.has(first) || isMeta) {
      cursor.at -= 1;
      return new RdbKey(this.#database).read(cursor, this.header.family);
    }
    return this.#other(cursor, first);
  }

  /** What stands between keys. */
  #other(cursor: Cursor, kind: number): RdbEntry | undefined {
    switch (kind) {
      case opcode.slotImport:
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

  /** @param cursor where an entry begins of which not all is there */
  #tooLarge(cursor: Cursor): Error {
    try {
      const keyAt = new RdbKey(0).readHead(cursor);
      return new TooLargeValue(Buffer.from(new Cursor(cursor.bytes, keyAt).string()));
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

function readHeader(cursor: Cursor): RdbHeader {
  const magic = cursor.take(9).toString('latin1');
  const redis = /^REDIS(\d{4})$/.exec(magic)?.[1];
  const valkey = /^VALKEY(\d{3})$/.exec(magic)?.[1];
  if (redis !== undefined) return { family: 'redis', version: Number(redis) };
  if (valkey !== undefined) return { family: 'valkey', version: Number(valkey) };
  throw new NotRdb('it is no RDB file');
}
