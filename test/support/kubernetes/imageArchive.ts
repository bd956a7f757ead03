import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

/** What an image runs when the pod does not say. */
export interface ImageDefaults {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
}

export interface Image {
  readonly tags: readonly string[];
  /** Layers by their digest, lowest first, as `packLayer` returned them. */
  readonly layers: readonly string[];
  readonly defaults: ImageDefaults;
}

/** Packs a folder as an image layer into the archive's folder and returns its digest. */
export async function packLayer(archive: string, root: string): Promise<string> {
  const tar = join(archive, 'layer.partial');
  await run('tar', ['--sort=name', '--mtime=@0', '--numeric-owner', '-C', root, '-cf', tar, '.']);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(tar)) hash.update(chunk as Buffer);
  const digest = hash.digest('hex');
  await run('mv', [tar, join(archive, `${digest}.tar`)]);
  return digest;
}

/** Writes `docker load`'s format, which `ctr images import` and `kind load image-archive` read as well. */
export async function writeArchive(archive: string, images: readonly Image[], file: string): Promise<void> {
  await mkdir(archive, { recursive: true });
  const manifest = [];
  for (const [index, image] of images.entries()) {
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        ...image.defaults,
      },
      rootfs: { type: 'layers', diff_ids: image.layers.map((digest) => `sha256:${digest}`) },
      history: image.layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
    };
    const name = `image-${index}.json`;
    await writeFile(join(archive, name), JSON.stringify(config));
    const layers = image.layers.map((digest) => `${digest}.tar`);
    manifest.push({ Config: name, RepoTags: image.tags, Layers: layers });
  }
  await writeFile(join(archive, 'manifest.json'), JSON.stringify(manifest));
  await run('sh', ['-c', 'cd "$1" && tar -cf "$2" -- *.json *.tar', 'sh', archive, file]);
}
