import type { Family } from './values.ts';

/** What reads values: the product, and the newest version of the format that it knows. */
export interface Reads {
  readonly family: Family;
  readonly version: number;
}

/** Up to which version servers read RDB files and what DUMP gives, by their own versions, the newest first. */
const readBy: Readonly<Record<Family, readonly (readonly [from: number, version: number])[]>> = {
  redis: [
    [8.6, 13],
    [7.4, 12],
    [7.2, 11],
    [0, 10],
  ],
  valkey: [
    [9, 80],
    [0, 11],
  ],
};

/** The first version of the format that has a type of values; those that are not here are older than any server that is supported. */
const firstWith: Readonly<Record<number, number>> = {
  ...{ 16: 10, 17: 10, 18: 10, 19: 10, 20: 11, 21: 11 },
  ...{ 22: 12, 23: 12, 24: 12, 25: 12, 26: 13 },
};
const oldest = 9;
/** The last version that Redis and Valkey share. */
const lastShared = 11;
/** Valkey's hashes of which fields expire; Redis has other values of that number. */
const valkeyHash = { type: 22, version: 80 };

export function readsOf(product: Family, version: string): Reads {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const own = major + minor / 10;
  const known = readBy[product].find(([from]) => own >= from);
  return { family: product, version: known?.[1] ?? oldest };
}

/**
 * The version under which a value is handed over: the first that has its type, so that servers older and younger than the
 * one that wrote it take it. Undefined where a server does not know such values.
 */
export function versionFor(type: number, family: Family, reader: Reads): number | undefined {
  const version =
    family === 'valkey' && type === valkeyHash.type ? valkeyHash.version : (firstWith[type] ?? oldest);
  if (version <= lastShared) return version <= reader.version ? version : undefined;
  return family === reader.family && version <= reader.version ? version : undefined;
}
