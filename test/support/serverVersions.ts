import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from './kubernetes/cache.ts';
import { withLock } from './kubernetes/lock.ts';
import { debianMirror } from './kubernetes/packages.ts';
import { run } from './kubernetes/run.ts';

/** Servers beside the machine's own 7.0: the newest of either kind that Debian has anywhere, 8.6 and 9.1 at present. */
export type ServerVersion = 'redisNewest' | 'valkeyNewest';

interface ServerPrograms {
  readonly server: string;
  /** The same release's redis-cli or valkey-cli. */
  readonly cli: string;
}

const packages = ['redis-tools', 'redis-server', 'valkey-tools', 'valkey-server'];
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Says why this machine cannot have them, or undefined if it can. */
export function whyNoOtherVersions(): string | undefined {
  if (process.platform === 'linux' && existsSync('/etc/debian_version')) return undefined;
  return 'the newest Redis and Valkey come from Debian packages, which apt has to fetch';
}

/**
 * The programs of another version, unpacked from Debian's packages into the cache and started through the loader and
 * libraries that came with them: nothing is installed, and no root is needed. Takes some 15 s the first time.
 */
export async function serverPrograms(version: ServerVersion): Promise<ServerPrograms> {
  const folder = await unpacked();
  const name = version === 'redisNewest' ? 'redis' : 'valkey';
  return { server: join(folder, `${name}-server`), cli: join(folder, `${name}-cli`) };
}

let folder: Promise<string> | undefined;

async function unpacked(): Promise<string> {
  folder ??= contentKey([import.meta.filename], process.arch).then((key) => {
    const log = (line: string): void => {
      process.stderr.write(`${line}\n`);
    };
    const make = (): Promise<string> => cached(`servers-newest-${key}`, log, unpack);
    return withLock(`servers-newest-${key}`, () => undefined, make);
  });
  return await folder;
}

async function unpack(path: string): Promise<void> {
  const archives = await download(join(path, 'apt'));
  const root = join(path, 'root');
  await mkdir(root);
  for (const archive of archives) await run('dpkg-deb', ['-x', archive, root]);
  for (const rest of ['apt', 'root/usr/share']) await rm(join(path, rest), { recursive: true });
  for (const name of ['redis', 'valkey']) {
    for (const program of [`${name}-server`, `${name}-cli`]) {
      await writeFile(join(path, program), starter(program));
      await chmod(join(path, program), 0o755);
    }
  }
  const loader = (await readdir(join(root, 'usr/lib'), { recursive: true })).find((file) =>
    /(?:^|\/)ld-linux[^/]*\.so\.\d$/.test(file),
  );
  if (loader === undefined) throw new Error('The packages of Debian sid brought no loader.');
  await symlink(join('usr/lib', loader), join(root, 'loader'));
}

/** The script's own folder may be moved, so nothing in it is an absolute path. */
function starter(program: string): string {
  return `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
libraries=$(dirname "$(readlink -f "$root/loader")")
exec "$root/loader" --library-path "$libraries" "$root/usr/bin/${program}" "$@"
`;
}

/** Lets apt find and verify the packages with all they need, as if nothing were installed, in folders of its own. */
async function download(folder: string): Promise<readonly string[]> {
  const archives = join(folder, 'archives');
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  const mirror = await debianMirror();
  const sources = ['sid', 'experimental'].map(
    (suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`,
  );
  await writeFile(join(folder, 'sources.list'), sources.join(''));
  const pin = `Package: ${packages.join(' ')}\nPin: release a=experimental\nPin-Priority: 500\n`;
  await writeFile(join(folder, 'preferences'), pin);
  const settings = {
    'Dir::State::status': join(folder, 'status'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache::archives': archives,
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': join(folder, 'preferences'),
    'Dir::Etc::preferencesparts': '/dev/null',
    // A mirror that lags behind serves too; signatures are checked all the same.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Languages': 'none',
    'Debug::NoLocking': 'true',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...options, 'update']);
  const install = ['install', '-y', '--download-only', '--no-install-recommends'];
  await run('apt-get', [...options, ...install, ...packages]);
  return (await readdir(archives))
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(archives, file));
}
