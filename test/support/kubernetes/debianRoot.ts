import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror } from './packages.ts';
import { run } from './run.ts';

/** A Debian system in a folder, to make images of. */
export interface DebianRoot {
  readonly root: string;
  /** The upstream version of an installed package: 7.0.15 of 5:7.0.15-1~deb12u7. */
  readonly version: (name: string) => Promise<string>;
}

/** Unpacks a release of Debian with these packages into `folder`/root. */
export async function debootstrap(
  suite: string,
  packages: readonly string[],
  folder: string,
): Promise<DebianRoot> {
  const root = join(folder, 'root');
  await mkdir(folder);
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  const command = ['debootstrap', '--variant=minbase', ...include, suite, root, await debianMirror()];
  // What it mounts below its root must not outlast it, as what removes the root would enter it.
  await run('unshare', ['--mount', '--', ...command]);
  return { root, version: (name) => installedVersion(root, name) };
}

async function installedVersion(root: string, name: string): Promise<string> {
  const status = await readFile(join(root, 'var/lib/dpkg/status'), 'utf8');
  const entry = status.split('\n\n').find((text) => text.startsWith(`Package: ${name}\n`)) ?? '';
  const found = /^Version: (?:\d+:)?(\d+\.\d+\.\d+)/m.exec(entry)?.[1];
  if (found === undefined) throw new Error(`${root} has no ${name}`);
  return found;
}

/**
 * Installs the newest version of `packages` that Debian has anywhere, sid or experimental, into a root of sid. All else
 * stays sid's: experimental's libraries would be newer than needed.
 */
export async function installNewest(root: string, packages: readonly string[]): Promise<void> {
  const mirror = await debianMirror();
  const sources = ['sid', 'experimental'].map((suite) => `deb ${mirror} ${suite} main\n`);
  await writeFile(join(root, 'etc/apt/sources.list'), sources.join(''));
  // Alike in priority, the higher version wins.
  const pin = `Package: ${packages.join(' ')}\nPin: release a=experimental\nPin-Priority: 500\n`;
  await writeFile(join(root, 'etc/apt/preferences.d/newest'), pin);
  // Debian asks this program whether a package's services may be started; 101 says no.
  await writeFile(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  // The small programs instead of all of systemd, for packages that make users and folders with it.
  const small = ['systemd-standalone-sysusers', 'systemd-standalone-tmpfiles'];
  // A mirror that lags behind serves too; signatures are checked all the same.
  const script = `root=$1; shift
mount -t proc proc "$root/proc"
chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends "$@"`;
  await run('unshare', ['--mount', '--', 'sh', '-ec', script, 'sh', root, ...small, ...packages]);
}

/** Removes what no container of a test uses, and adds what the official images of Redis and Valkey have. */
export async function stripAndFinish(root: string): Promise<void> {
  const share = [
    'bash-completion',
    'doc',
    'info',
    'keyrings',
    'lintian',
    'locale',
    'man',
    'perl5',
    'zoneinfo',
  ];
  const others = ['var/cache', 'var/lib/apt', 'var/lib/dpkg', 'var/log', 'usr/lib/apt', 'usr/lib/locale'];
  const removed = [...share.map((name) => `usr/share/${name}`), ...others];
  for (const name of removed) await rm(join(root, name), { recursive: true, force: true });
  await run('sh', [
    '-c',
    'rm -rf "$1"/usr/bin/perl* "$1"/usr/lib/*/perl-base "$1"/usr/lib/*/gconv "$1"/usr/lib/*/libapt-* "$1"/usr/bin/apt*',
    'sh',
    root,
  ]);
  await mkdir(join(root, 'var/log'));
  for (const [file, shell] of [
    ['passwd', ':/home/redis:/bin/sh'],
    ['group', ''],
  ] as const) {
    const path = join(root, 'etc', file);
    const lines = (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => !/^(redis|valkey|)(:|$)/.test(line));
    const ids = file === 'passwd' ? '999:999:' : '999:';
    for (const name of ['redis', 'valkey']) lines.push(`${name}:x:${ids}${shell}`);
    await writeFile(path, `${lines.join('\n')}\n`);
  }
  for (const name of ['home/redis', 'data']) {
    await mkdir(join(root, name), { recursive: true });
    await chown(join(root, name), 999, 999);
  }
}
