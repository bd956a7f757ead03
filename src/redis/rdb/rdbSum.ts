import { Crc64 } from './crc64.ts';

const sumBytes = 8;

/** Compares the sum with which an RDB file ends with that of all bytes before it, which come in pieces. */
export class RdbSum {
  readonly #crc = new Crc64();
  /** The last bytes so far, which may be the file's sum. */
  #last = Buffer.alloc(0);

  add(piece: Buffer): void {
    if (piece.length >= sumBytes) {
      this.#crc.add(this.#last);
      this.#crc.add(piece.subarray(0, -sumBytes));
      this.#last = Buffer.from(piece.subarray(-sumBytes));
      return;
    }
    const joined = Buffer.concat([this.#last, piece]);
    const rest = Math.max(0, joined.length - sumBytes);
    this.#crc.add(joined.subarray(0, rest));
    this.#last = joined.subarray(rest);
  }

  /** Whether the file ends with its sum, or with zeros: a server that is told so (`rdbchecksum no`) computes none. */
  isRight(): boolean {
    if (this.#last.length < sumBytes) return false;
    return this.#last.every((byte) => byte === 0) || this.#crc.sum().equals(this.#last);
  }
}
