import { chmod, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import { debootstrap, installNewest, stripAndFinish } from './debianRoot.ts';
import type { DebianRoot } from './debianRoot.ts';
import { packLayer, writeArchive } from './imageArchive.ts';
import type { ImageDefaults } from './imageArchive.ts';
import { run } from './run.ts';
import type { Log } from './run.ts';

/** The names of the images that every worker holds, for tests to name them in their pods. */
export interface TestImages {
  /** Redis 7.0, from Debian 12; also tagged `redis:6.2.6`. */
  readonly redis7: string;
  /** Redis 8.0, from Debian 13. */
  readonly redis8: string;
  /** The newest Redis that Debian has anywhere: 8.6, from experimental. */
  readonly redisNewest: string;
  /** Valkey 8.1, from Debian 13. */
  readonly valkey8: string;
  /** The newest Valkey that Debian has anywhere: 9.1, from sid. */
  readonly valkeyNewest: string;
  /** Prometheus' exporter for Redis, from sid. */
  readonly exporter: string;
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
  join(import.meta.dirname, 'debianRoot.ts'),
  join(import.meta.dirname, 'imageArchive.ts'),
  join(here, 'docker-entrypoint.sh'),
  join(here, 'redis-server.sh'),
];

/** Makes the images from Debian's packages, since the machine may reach no image registry. */
export async function buildImages(log: Log): Promise<ImageArchives> {
  const key = await contentKey(sources, process.arch);
  const bookworm = await cached(`images-bookworm-${key}`, log, buildBookworm);
  const trixie = await cached(`images-trixie-${key}`, log, buildTrixie);
  const newest = await cached(`images-newest-${key}`, log, buildNewest);
  const [old, stable, latest] = [
    await readVersions(bookworm),
    await readVersions(trixie),
    await readVersions(newest),
  ];
  const images = {
    redis7: redisTag(old['redis-server']),
    redis8: redisTag(stable['redis-server']),
    redisNewest: redisTag(latest['redis-server']),
    valkey8: valkeyTag(stable['valkey-server']),
    valkeyNewest: valkeyTag(latest['valkey-server']),
    exporter: exporterTag(latest['prometheus-redis-exporter']),
    busybox: busyboxImage,
  };
  return { key, images, files: [bookworm, trixie, newest].map((folder) => join(folder, 'images.tar')) };
}

type Versions = Readonly<Record<string, string>>;

async function readVersions(folder: string): Promise<Versions> {
  return JSON.parse(await readFile(join(folder, 'versions.json'), 'utf8')) as Versions;
}

const redisTag = (version = ''): string => `docker.io/library/redis:${version}`;
const exporterTag = (version = ''): string => `docker.io/oliver006/redis_exporter:v${version}`;
const valkeyTag = (version = ''): string => `docker.io/valkey/valkey:${version}`;

async function buildBookworm(folder: string): Promise<void> {
  const packages = ['redis-server', 'redis-tools', 'busybox-static', 'catatonit'];
  const { root, version } = await debootstrap('bookworm', packages, folder);
  const redis = await version('redis-server');
  await writeVersions(folder, { 'redis-server': redis });
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
  const tags = [redisTag(redis), redisTag('6.2.6')];
  const images = [
    { tags, layers: [redisLayer], defaults: serverDefaults('redis') },
    { tags: [busyboxImage], layers: [busyboxLayer], defaults: { Cmd: ['sh'] } },
    { tags: [pauseImage], layers: [pauseLayer], defaults: { Entrypoint: ['/pause', '-P'] } },
  ];
  await writeArchive(archive, images, join(folder, 'images.tar'));
  for (const rest of [root, busybox, pause, archive]) await rm(rest, { recursive: true });
}

const servers = ['redis-server', 'redis-tools', 'valkey-server', 'valkey-tools'];

async function buildTrixie(folder: string): Promise<void> {
  await packServers(await debootstrap('trixie', servers, folder), folder, []);
}

async function buildNewest(folder: string): Promise<void> {
  const sid = await debootstrap('sid', [], folder);
  const exporter = 'prometheus-redis-exporter';
  await installNewest(sid.root, [...servers, exporter]);
  const version = await sid.version(exporter);
  const root = join(folder, 'exporter');
  await mkdir(root);
  // Where the official image has it.
  await rename(join(sid.root, 'usr/bin', exporter), join(root, 'redis_exporter'));
  const defaults = { Entrypoint: ['/redis_exporter'], ExposedPorts: { '9121/tcp': {} } };
  // The official image has a shell under the second name only.
  const image = { tags: [exporterTag(version), `${exporterTag(version)}-alpine`], root, defaults };
  await packServers(sid, folder, [image], { [exporter]: version });
}

/** An image that is a layer of its own upon the one that all of its system share. */
interface TopImage {
  readonly root: string;
  readonly tags: readonly string[];
  readonly defaults: ImageDefaults;
}

/** Redis and Valkey share all but their own programs, hence thin layers upon one. */
async function packServers(
  { root, version }: DebianRoot,
  folder: string,
  more: readonly TopImage[],
  moreVersions: Versions = {},
): Promise<void> {
  const versions = { redis: await version('redis-server'), valkey: await version('valkey-server') };
  const named = { 'redis-server': versions.redis, 'valkey-server': versions.valkey, ...moreVersions };
  await writeVersions(folder, named);
  const tops = [...more];
  for (const name of ['redis', 'valkey'] as const) {
    const top = join(folder, name);
    await mkdir(join(top, 'usr/bin'), { recursive: true });
    await run('sh', ['-c', 'mv "$1"/usr/bin/"$2"-* "$3"/usr/bin/', 'sh', root, name, top]);
    await addServer(top, name);
    const tag = name === 'redis' ? redisTag(versions.redis) : valkeyTag(versions.valkey);
    tops.push({ root: top, tags: [tag], defaults: serverDefaults(name) });
  }
  await stripAndFinish(root);
  const archive = join(folder, 'archive');
  await mkdir(archive);
  const base = await packLayer(archive, root);
  const images = [];
  for (const { root: top, tags, defaults } of tops)
    images.push({ tags, defaults, layers: [base, await packLayer(archive, top)] });
  await writeArchive(archive, images, join(folder, 'images.tar'));
  for (const rest of [root, archive, ...tops.map((top) => top.root)]) await rm(rest, { recursive: true });
}

async function writeVersions(folder: string, versions: Versions): Promise<void> {
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
