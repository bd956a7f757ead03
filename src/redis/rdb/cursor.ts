/** Thrown where the bytes at hand end before what is being read: more of the file may hold it. */
export class NeedsMore extends Error {
  /** How many bytes from where reading began there have to be at least. */
  readonly bytes: number;

  constructor(bytes: number) {
    super('more bytes are needed');
    this.bytes = bytes;
  }
}

/** Thrown where bytes cannot be what an RDB file holds there. */
export class NotRdb extends Error {}

/** The most that a length can say; what is longer than a server can hold is damage. */
const mostBytes = 2 ** 40;

/**
 * Steps through bytes by the encodings of RDB files: lengths, strings, numbers (redis/src/rdb.h). Reading past the end
 * throws NeedsMore.
 */
export class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new NeedsMore(this.at + 1);
    this.at += 1;
    return byte;
  }

  skip(count: number): void {
    const end = this.at + count;
    if (end > this.bytes.length) throw new NeedsMore(end);
    this.at = end;
  }

  take(count: number): Buffer {
    const start = this.at;
    this.skip(count);
    return this.bytes.subarray(start, this.at);
  }

  /** A length that is no encoding of a string. Throws NotRdb where it is one, or more than can be. */
  length(): number {
    const first = this.byte();
    if (first >> 6 === 3) throw new NotRdb('a length is missing');
    return this.#lengthFrom(first);
  }

  /** A number that may be as large as 64 bits hold, such as the half of a stream's id. */
  skipNumber(): void {
    const first = this.byte();
    if (first >> 6 === 3) throw new NotRdb('a number is missing');
    if (first >> 6 === 1) this.skip(1);
    else if (first === 0x80) this.skip(4);
    else if (first === 0x81) this.skip(8);
    else if (first >> 6 === 2) throw new NotRdb('a number has an unknown form');
  }

  skipString(): void {
    const first = this.byte();
    if (first >> 6 !== 3) {
      this.skip(this.#lengthFrom(first));
      return;
    }
    if (first === 0xc3) {
      const packed = this.length();
      this.length();
      this.skip(packed);
      return;
    }
    this.skip(integerBytes(first));
  }

  /** A string as a server would give it: numbers as text, and unpacked. */
  string(): Buffer {
    const first = this.byte();
    if (first >> 6 !== 3) return this.take(this.#lengthFrom(first));
    if (first === 0xc3) {
      const packed = this.length();
      const length = this.length();
      return unpack(this.take(packed), length);
    }
    const count = integerBytes(first);
    return Buffer.from(String(this.take(count).readIntLE(0, count)));
  }

  #lengthFrom(first: number): number {
    const kind = first >> 6;
    if (kind === 0) return first;
    if (kind === 1) return ((first & 0x3f) << 8) | this.byte();
    if (first === 0x80) return this.take(4).readUInt32BE(0);
    if (first !== 0x81) throw new NotRdb('a length has an unknown form');
    const length = Number(this.take(8).readBigUInt64BE(0));
    if (length > mostBytes) throw new NotRdb('a length is more than a server holds');
    return length;
  }
}

function integerBytes(first: number): 1 | 2 | 4 {
  if (first === 0xc0) return 1;
  if (first === 0xc1) return 2;
  if (first === 0xc2) return 4;
  throw new NotRdb('a string has an unknown encoding');
}

/** LZF: literal runs, and repetitions of what came before (http://oldhome.schmorp.de/marc/liblzf.html). */
function unpack(packed: Buffer, length: number): Buffer {
  // LZF repeats at most 264 bytes for three.
  if (length > packed.length * 264) throw new NotRdb('a packed string has a false length');
  const whole = Buffer.alloc(length);
  const cursor = new Cursor(packed);
  let at = 0;
  try {
    while (cursor.at < packed.length) {
      const control = cursor.byte();
      if (control < 32) {
        at += cursor.take(control + 1).copy(whole, at);
        continue;
      }
      const count = (control >> 5 === 7 ? 7 + cursor.byte() : control >> 5) + 2;
      let from = at - ((control & 0x1f) << 8) - cursor.byte() - 1;
      if (from < 0 || at + count > length) throw new NotRdb('a packed string is damaged');
      // What is repeated may be what this very repetition writes.
      for (const end = at + count; at < end;) whole[at++] = whole[from++] ?? 0;
    }
  } catch (error) {
    throw error instanceof NeedsMore ? new NotRdb('a packed string is cut off') : error;
  }
  if (at !== length) throw new NotRdb('a packed string has a false length');
  return whole;
}
