import { slotCount } from './slots.ts';

const openingBrace = 0x7b;
const closingBrace = 0x7d;
const encoder = new TextEncoder();

/** CRC16 of each byte, by the polynomial 0x1021 (Redis Cluster specification, appendix A: CRC-16/XMODEM). */
const crcOfByte = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/** The hash slot of a key, computed as every server computes it. A text is taken as UTF-8. */
export function keySlot(key: string | Uint8Array): number {
  return crc16(hashedPart(typeof key === 'string' ? encoder.encode(key) : key)) % slotCount;
}

/**
 * The bytes of a key that decide its slot: its hash tag, which is what stands between the first `{` and the first `}`
 * after it, or the whole key where there is no such pair or nothing between (specification, "Hash tags").
 */
export function hashedPart(key: Uint8Array): Uint8Array {
  const open = key.indexOf(openingBrace);
  if (open === -1) return key;
  const close = key.indexOf(closingBrace, open + 1);
  return close <= open + 1 ? key : key.subarray(open + 1, close);
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (crcOfByte[(crc >> 8) ^ byte] ?? 0);
  return crc;
}
