/** What a server says it is, or an image's name and tag. */
export interface Release {
  readonly product: 'redis' | 'valkey';
  /** `8.0.2`; as much of it as is known. */
  readonly version: string;
}

export function releaseText({ product, version }: Release): string {
  return `${product === 'valkey' ? 'Valkey' : 'Redis'} ${version}`;
}

/** Below, at or above zero, as versions are counted. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The number of the RDB format that a release writes into its files: RDB_VERSION in src/rdb.h; 10, 12, 13, 11 and 80 are
 * also what Redis 7.0.15, 8.0.2, 8.6.3, Valkey 8.1.1 and 9.1.2 put at the end of a DUMP.
 */
export function dataFormat({ product, version }: Release): number {
  const since = (first: string): boolean => compareVersions(version, first) >= 0;
  if (product === 'valkey') return since('9.0') ? 80 : 11;
  if (since('8.6')) return 13;
  if (since('7.4')) return 12;
  return since('7.2') ? 11 : since('7.0') ? 10 : 9;
}

/** The first number that Valkey uses; 12 to 79 are Redis's own, and Valkey refuses them as foreign. */
const valkeysFirst = 80;
const lastCommon = 11;

/**
 * Whether a server can read what another writes into files, copies for replicas, and DUMPs, by which MIGRATE works.
 * A version that a server does not tell is not held against it.
 */
export function canRead(reader: Release, writer: Release): boolean {
  if (reader.version === '' || writer.version === '') return true;
  const format = dataFormat(writer);
  if (format > dataFormat(reader)) return false;
  return reader.product !== 'valkey' || format <= lastCommon || format >= valkeysFirst;
}
