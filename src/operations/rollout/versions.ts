import { UserError } from '../../model/errors.ts';
import { canRead, compareVersions, dataFormat, releaseText, type Release } from '../../model/release.ts';

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

/**
 * Whether nodes of these releases can become the target one after another. Throws a UserError where the target could
 * not read what they wrote, with the way that works.
 * @param running what the nodes that answer are, each release once
 */
export function judgeVersions(running: readonly Release[], target: Release): VersionVerdict {
  for (const one of running) {
    if (!canRead(target, one)) throw unreadable(one, target);
  }
  const isOneWay = running.some((one) => !canRead(one, target));
  return { isOneWay, warnings: running.flatMap((one) => leapWarnings(one, target)) };
}

function unreadable(from: Release, target: Release): UserError {
  const [now, then] = [releaseText(from), releaseText(target)];
  const what = `${then} cannot read the files and copies that ${now} writes (RDB format ${dataFormat(from)}).`;
  const way =
    from.product === 'redis' && target.product === 'valkey'
      ? 'Valkey can only replace Redis up to 7.2. Instead, deploy a new cluster with Valkey, and let an application or a copying tool write the keys there.'
      : from.product === target.product
        ? `Instead, upgrade all pods to ${now} or newer, or deploy a new cluster with ${then} and copy the keys there.`
        : `Instead, deploy a new cluster with ${then}, and let an application or a copying tool write the keys there.`;
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
    `From ${left} to ${right} is not a tested upgrade (${tested.map(([a, b]) => `${a} to ${b}`).join(', ')}). Try it on a copy first.`,
  ];
}
