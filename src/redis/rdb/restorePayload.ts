import { Crc64 } from './crc64.ts';

/**
 * What RESTORE takes: type and value, the version of their encoding, and a sum of it all
 * (https://redis.io/docs/latest/commands/dump/).
 */
export function restorePayload(value: readonly Buffer[], version: number): Buffer {
  const length = value.reduce((sum, part) => sum + part.length, 0);
  // Large values are copied here and nowhere else.
  const payload = Buffer.allocUnsafe(length + 10);
  let at = 0;
  for (const part of value) at += part.copy(payload, at);
  payload.writeUInt16LE(version, length);
  const crc = new Crc64();
  crc.add(payload.subarray(0, -8));
  crc.sum().copy(payload, length + 2);
  return payload;
}
