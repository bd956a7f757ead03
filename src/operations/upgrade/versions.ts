import { UserError } from '../../model/errors.ts';

/** What a server says it is, or an image's name and tag. */
export interface Release {
  readonly product: 'redis' | 'valkey';
  /** `8.0.2`; as much of it as is known. */
  readonly version: string;
}

/** What a change of version means. */
export interface VersionVerdict {
  readonly warnings: readonly string[];
  /** Whether the files that the target writes cannot be read by what runs now. */
  readonly isOneWay: boolean;
}

/**
 * The release that an image's name and tag say; undefined where they say none (`latest`, a digest alone).
 * `bitnami/valkey:8.1.1-debian-12-r0` is Valkey 8.1.1.
 */
export function releaseOfImage(image: string): Release | undefined {
  const [name = '', tag = ''] = (image.split('@')[0]?.split('/').at(-1) ?? '').split(':');
  const version = /^v?(\d+\.\d+(?:\.\d+)?)(?=$|[-_.+a-z])/i.exec(tag)?.[1];
  const product = /valkey/i.test(name) ? 'valkey' : /redis/i.test(name) ? 'redis' : undefined;
  return version === undefined || product === undefined ? undefined : { product, version };
}

export function releaseText({ product, version }: Release): string {
  return `${product === 'valkey' ? 'Valkey' : 'Redis'} ${version}`;
}

/** Below, at or above zero, as versions are counted. */
function compareVersions(a: string, b: string): number {
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
function dataFormat({ product, version }: Release): number {
  const since = (first: string): boolean => compareVersions(version, first) >= 0;
  if (product === 'valkey') return since('9.0') ? 80 : 11;
  if (since('8.6')) return 13;
  if (since('7.4')) return 12;
  return since('7.2') ? 11 : since('7.0') ? 10 : 9;
}

/** The first number that Valkey uses; 12 to 79 are Redis's own, and Valkey refuses them as foreign. */
const valkeysFirst = 80;
const lastCommon = 11;

function canRead(reader: Release, format: number): boolean {
  if (format > dataFormat(reader)) return false;
  return reader.product !== 'valkey' || format <= lastCommon || format >= valkeysFirst;
}

/**
 * Whether nodes of these releases can become the target one after another. Throws a UserError where the target could
 * not read what they wrote, with the way that works.
 * @param running what the nodes that answer are, each release once
 */
export function judgeVersions(running: readonly Release[], target: Release): VersionVerdict {
  for (const one of running) {
    if (!canRead(target, dataFormat(one))) throw unreadable(one, target);
  }
  const isOneWay = running.some((one) => !canRead(one, dataFormat(target)));
  return { isOneWay, warnings: running.flatMap((one) => leapWarnings(one, target)) };
}

function unreadable(from: Release, target: Release): UserError {
  const [now, then] = [releaseText(from), releaseText(target)];
  const what = `${then} cannot read the files and copies that ${now} writes (RDB format ${dataFormat(from)}).`;
  const way =
    from.product === 'redis' && target.product === 'valkey'
      ? 'Valkey takes over from Redis up to 7.2 only. What works: deploy a new cluster with Valkey, and let an application or a copying tool write the keys there.'
      : from.product === target.product
        ? `What works: go on to ${now} or newer on all pods, or deploy a new cluster with ${then} and copy the keys there.`
        : `What works: deploy a new cluster with ${then}, and let an application or a copying tool write the keys there.`;
  return new UserError('unsafe', `${what} ${way} Nothing was changed.`);
}

/** Leaps that this product's tests make on a running cluster, by major and minor version. */
const tested: readonly (readonly [string, string])[] = [
  ['Redis 7.0', 'Redis 8.0'],
  ['Redis 8.0', 'Redis 8.6'],
  ['Redis 7.0', 'Valkey 8.1'],
  ['Valkey 8.1', 'Valkey 9.1'],
];

function leapWarnings(from: Release, target: Release): readonly string[] {
  const short = (release: Release): string =>
    releaseText({ ...release, version: release.version.split('.').slice(0, 2).join('.') });
  const [left, right] = [short(from), short(target)];
  if (left === right) return [];
  if (from.product === target.product && compareVersions(target.version, from.version) < 0) {
    return [`This goes back from ${releaseText(from)} to ${releaseText(target)}.`];
  }
  if (tested.some(([a, b]) => a === left && b === right)) return [];
  return [
    `From ${left} to ${right} is not among the changes that were tested (${tested.map(([a, b]) => `${a} to ${b}`).join(', ')}). Try it on a copy first.`,
  ];
}
