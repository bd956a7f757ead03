import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './api.ts';
import { cached } from './cache.ts';
import type { ImageArchives } from './images.ts';
import { socketFolder } from './layout.ts';
import { run, tryRun } from './run.ts';
import type { Log } from './run.ts';

const databases = [
  'io.containerd.metadata.v1.bolt/meta.db',
  'io.containerd.snapshotter.v1.overlayfs/metadata.db',
];

/**
 * Unpacks the images once into a containerd's store and keeps that in the cache. Each worker then gets a copy made of
 * hard links, in a fraction of the time and space of unpacking.
 */
export async function buildImageStore(archives: ImageArchives, log: Log): Promise<string> {
  const version = await run('dpkg-query', ['-W', '-f', '${Version}', 'containerd']);
  const name = `image-store-${archives.key}-${version.replaceAll(/[^\w.+~-]/g, '_')}`;
  return await cached(name, log, async (path) => {
    await mkdir(path);
    await importImages(path, archives.files);
  });
}

async function importImages(root: string, files: readonly string[]): Promise<void> {
  const side = `${socketFolder}-import`;
  await rm(side, { recursive: true, force: true });
  await mkdir(side);
  const socket = join(side, 'containerd.sock');
  const config = `version = 2
root = "${root}"
state = "${join(side, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "${join(side, 'opt')}"
`;
  await writeFile(join(side, 'containerd.toml'), config);
  const containerd = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', 'containerd', '--config', join(side, 'containerd.toml')],
    { stdio: 'ignore' },
  );
  const ended = once(containerd, 'close');
  try {
    const ctr = ['--address', socket, '--namespace', 'k8s.io'];
    await until('containerd', 30, async () => (await tryRun('ctr', [...ctr, 'version'])) !== undefined);
    for (const file of files) await run('ctr', [...ctr, 'images', 'import', file]);
  } finally {
    // Not by force: its databases have to be closed.
    containerd.kill('SIGTERM');
    await ended;
    await rm(side, { recursive: true, force: true });
  }
}

/** Copies the store for one worker. Layers are read-only and shared; the databases are the worker's own. */
export async function copyImageStore(store: string, to: string): Promise<void> {
  await run('cp', ['--archive', '--link', store, to]);
  for (const database of databases) {
    await rm(join(to, database));
    await copyFile(join(store, database), join(to, database));
  }
}
