import { chmod, chown, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import { packLayer, writeArchive } from './imageArchive.ts';
import type { ImageDefaults } from './imageArchive.ts';
import { debianMirror } from './packages.ts';
import { run } from './run.ts';
import type { Log } from './run.ts';

/** The names of the images that every worker holds, for tests to name them in their pods. */
export interface TestImages {
  /** Redis 7.0, from Debian 12; also tagged `redis:6.2.6`. */
  readonly redis7: string;
  /** Redis 8.0, from Debian 13. */
  readonly redis8: string;
  /** Valkey 8.1, from Debian 13. */
  readonly valkey: string;
  readonly busybox: string;
}

export interface ImageArchives {
  readonly key: string;
  readonly files: readonly string[];
  readonly images: TestImages;
}

/** The image that holds a pod's namespaces, as registries' `pause` does. */
export const pauseImage = 'localhost/pause:1';
const busyboxImage = 'docker.io/library/busybox:1.28';
const here = join(import.meta.dirname, 'images');
const sources = [
  import.meta.filename,
  join(import.meta.dirname, 'imageArchive.ts'),
  join(here, 'docker-entrypoint.sh'),
  join(here, 'redis-server.sh'),
];

/** Makes the images from Debian's packages, since the machine may reach no image registry. */
export async function buildImages(log: Log): Promise<ImageArchives> {
  const key = await contentKey(sources, process.arch);
  const bookworm = await cached(`images-bookworm-${key}`, log, buildBookworm);
  const trixie = await cached(`images-trixie-${key}`, log, buildTrixie);
  const versions = async (folder: string): Promise<Readonly<Record<string, string>>> =>
    JSON.parse(await readFile(join(folder, 'versions.json'), 'utf8')) as Record<string, string>;
  const images = {
    redis7: redisTag((await versions(bookworm))['redis-server']),
    redis8: redisTag((await versions(trixie))['redis-server']),
    valkey: valkeyTag((await versions(trixie))['valkey-server']),
    busybox: busyboxImage,
  };
  return { key, images, files: [bookworm, trixie].map((folder) => join(folder, 'images.tar')) };
}

const redisTag = (version = ''): string => `docker.io/library/redis:${version}`;
const valkeyTag = (version = ''): string => `docker.io/valkey/valkey:${version}`;

async function buildBookworm(folder: string): Promise<void> {
  const packages = ['redis-server', 'redis-tools', 'busybox-static', 'catatonit'];
  const { root, version } = await debootstrap('bookworm', packages, folder);
  await writeVersions(folder, { 'redis-server': await version('redis-server') });
  const archive = join(folder, 'archive');
  const busybox = await busyboxRoot(root, join(folder, 'busybox'));
  const pause = join(folder, 'pause');
  await mkdir(pause);
  await cp(join(root, 'usr/bin/catatonit'), join(pause, 'pause'));
  await rm(join(root, 'usr/bin/busybox'));
  await stripAndFinish(root);
  await addServer(root, 'redis');
  await mkdir(archive);
  const [redisLayer, busyboxLayer, pauseLayer] = [
    await packLayer(archive, root),
    await packLayer(archive, busybox),
    await packLayer(archive, pause),
  ];
  const tags = [redisTag(await version('redis-server')), redisTag('6.2.6')];
  const images = [
    { tags, layers: [redisLayer], defaults: serverDefaults('redis') },
    { tags: [busyboxImage], layers: [busyboxLayer], defaults: { Cmd: ['sh'] } },
    { tags: [pauseImage], layers: [pauseLayer], defaults: { Entrypoint: ['/pause', '-P'] } },
  ];
  await writeArchive(archive, images, join(folder, 'images.tar'));
  for (const rest of [root, busybox, pause, archive]) await rm(rest, { recursive: true });
}

/** Redis and Valkey share all but their own programs, hence two thin layers upon one. */
async function buildTrixie(folder: string): Promise<void> {
  const packages = ['redis-server', 'redis-tools', 'valkey-server', 'valkey-tools'];
  const { root, version } = await debootstrap('trixie', packages, folder);
  const versions = { redis: await version('redis-server'), valkey: await version('valkey-server') };
  await writeVersions(folder, { 'redis-server': versions.redis, 'valkey-server': versions.valkey });
  const archive = join(folder, 'archive');
  await mkdir(archive);
  const tops = [];
  for (const name of ['redis', 'valkey'] as const) {
    const top = join(folder, name);
    await mkdir(join(top, 'usr/bin'), { recursive: true });
    await run('sh', ['-c', 'mv "$1"/usr/bin/"$2"-* "$3"/usr/bin/', 'sh', root, name, top]);
    await addServer(top, name);
    tops.push({ name, digest: await packLayer(archive, top), top });
  }
  await stripAndFinish(root);
  const base = await packLayer(archive, root);
  const images = tops.map(({ name, digest }) => ({
    tags: [name === 'redis' ? redisTag(versions.redis) : valkeyTag(versions.valkey)],
    layers: [base, digest],
    defaults: serverDefaults(name),
  }));
  await writeArchive(archive, images, join(folder, 'images.tar'));
  for (const rest of [root, archive, ...tops.map(({ top }) => top)]) await rm(rest, { recursive: true });
}

interface Root {
  readonly root: string;
  /** The upstream version of an installed package: 7.0.15 of 5:7.0.15-1~deb12u7. */
  readonly version: (name: string) => Promise<string>;
}

async function debootstrap(suite: string, packages: readonly string[], folder: string): Promise<Root> {
  const root = join(folder, 'root');
  await mkdir(folder);
  const include = `--include=${packages.join(',')}`;
  const command = ['debootstrap', '--variant=minbase', include, suite, root, await debianMirror()];
  // What it mounts below its root must not outlast it, as what removes the root would enter it.
  await run('unshare', ['--mount', '--', ...command]);
  const status = await readFile(join(root, 'var/lib/dpkg/status'), 'utf8');
  return {
    root,
    version: (name) => {
      const entry = status.split('\n\n').find((text) => text.startsWith(`Package: ${name}\n`)) ?? '';
      const found = /^Version: (?:\d+:)?(\d+\.\d+\.\d+)/m.exec(entry)?.[1];
      if (found === undefined) return Promise.reject(new Error(`${suite} has no ${name}`));
      return Promise.resolve(found);
    },
  };
}

async function writeVersions(folder: string, versions: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(join(folder, 'versions.json'), JSON.stringify(versions));
}

async function busyboxRoot(from: string, root: string): Promise<string> {
  for (const name of ['bin', 'etc', 'root']) await mkdir(join(root, name), { recursive: true });
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
  const binary = join(root, 'bin/busybox');
  await cp(join(from, 'usr/bin/busybox'), binary);
  for (const applet of (await run(binary, ['--list'])).split('\n'))
    if (applet !== '' && applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  return root;
}

/** Removes what no container of a test uses, and adds what the official images have. */
async function stripAndFinish(root: string): Promise<void> {
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

async function addServer(root: string, name: 'redis' | 'valkey'): Promise<void> {
  const local = join(root, 'usr/local/bin');
  await mkdir(local, { recursive: true });
  await cp(join(here, 'docker-entrypoint.sh'), join(local, 'docker-entrypoint.sh'));
  await cp(join(here, 'redis-server.sh'), join(local, `${name}-server`));
  for (const file of ['docker-entrypoint.sh', `${name}-server`]) await chmod(join(local, file), 0o755);
  if (name === 'redis') return;
  // As the official Valkey image, which answers to Redis's names too.
  await symlink('valkey-server', join(local, 'redis-server'));
  for (const program of ['server', 'cli', 'benchmark'])
    await symlink(`valkey-${program}`, join(root, `usr/bin/redis-${program}`));
}

function serverDefaults(name: 'redis' | 'valkey'): ImageDefaults {
  return {
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: [`${name}-server`],
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `SERVER=${name}-server`],
    WorkingDir: '/data',
    Volumes: { '/data': {} },
    ExposedPorts: { '6379/tcp': {} },
  };
}
