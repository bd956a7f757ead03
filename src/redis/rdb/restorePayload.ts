import { Crc64 } from './crc64.ts';

/**
 * What RESTORE takes: type and value, the version of their encoding, and a sum of it all
 * (https://redis.io/docs/latest/commands/dump/).
 */
export function restorePayload(value: readonly Buffer[], version: number): Buffer {
  return Buffer.concat(payloadParts(value, version));
}

/** The same in parts, so that large values are not copied. */
export function payloadParts(value: readonly Buffer[], version: number): readonly Buffer[] {
  const footer = Buffer.alloc(10);
  footer.writeUInt16LE(version, 0);
  const crc = new Crc64();
  for (const part of value) crc.add(part);
  crc.add(footer.subarray(0, 2));
  crc.sum().copy(footer, 2);
  return [...value, footer];
}
