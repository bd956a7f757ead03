/** Jones' polynomial, reflected, as two halves of 32 bits. */
const polynomial = { high: 0x95ac9329, low: 0xac4bc9b5 };
/** Bytes that are taken at once: one table for each. */
const stride = 8;

const tables = makeTables();

/** CRC-64 as it ends RDB files and what RESTORE takes (redis/src/crc64.c), of bytes that come piece by piece. */
export class Crc64 {
  #high = 0;
  #low = 0;

  add(bytes: Uint8Array): void {
    const { highs, lows } = tables;
    let [high, low] = [this.#high, this.#low];
    let at = 0;
    for (const end = bytes.length - stride; at <= end; at += stride) {
      // The register's eight bytes meet the next eight of the text, the lowest first.
      let [nextHigh, nextLow] = [0, 0];
      for (let byte = 0; byte < stride; byte++) {
        const register = byte < 4 ? low >>> (8 * byte) : high >>> (8 * (byte - 4));
        const entry = (stride - 1 - byte) * 256 + ((register ^ (bytes[at + byte] ?? 0)) & 0xff);
        nextHigh ^= highs[entry] ?? 0;
        nextLow ^= lows[entry] ?? 0;
      }
      [high, low] = [nextHigh, nextLow];
    }
    for (; at < bytes.length; at++) {
      const entry = (low ^ (bytes[at] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lows[entry] ?? 0);
      high = (high >>> 8) ^ (highs[entry] ?? 0);
    }
    this.#high = high;
    this.#low = low;
  }

  /** The sum of all bytes so far: eight bytes, the lowest first. */
  sum(): Buffer {
    const sum = Buffer.alloc(8);
    sum.writeInt32LE(this.#low | 0, 0);
    sum.writeInt32LE(this.#high | 0, 4);
    return sum;
  }
}

/** What each byte adds to the register, alone and with one to seven bytes after it. */
function makeTables(): { readonly highs: Int32Array; readonly lows: Int32Array } {
  const highs = new Int32Array(stride * 256);
  const lows = new Int32Array(stride * 256);
  for (let byte = 0; byte < 256; byte++) {
    let [high, low] = [0, byte];
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (!isOdd) continue;
      low ^= polynomial.low;
      high ^= polynomial.high;
    }
    highs[byte] = high;
    lows[byte] = low;
  }
  for (let entry = 256; entry < stride * 256; entry++) {
    const [high, low] = [highs[entry - 256] ?? 0, lows[entry - 256] ?? 0];
    const next = low & 0xff;
    lows[entry] = ((low >>> 8) | (high << 24)) ^ (lows[next] ?? 0);
    highs[entry] = (high >>> 8) ^ (highs[next] ?? 0);
  }
  return { highs, lows };
}
