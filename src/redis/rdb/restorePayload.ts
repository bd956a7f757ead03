import { Crc64 } from './crc64.ts';

/**
 * What RESTORE takes: type and value, the version of their encoding, and a sum of it all
 * (https://redis.io/docs/latest/commands/dump/).
 */
export function restorePayload(value: Buffer, version: number): Buffer {
  const payload = Buffer.allocUnsafe(value.length + 10);
  value.copy(payload);
  payload.writeUInt16LE(version, value.length);
  const crc = new Crc64();
  crc.add(payload.subarray(0, -8));
  crc.sum().copy(payload, value.length + 2);
  return payload;
}
