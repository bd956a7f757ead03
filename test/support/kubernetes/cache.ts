import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Log } from './run.ts';

/** Where everything slow to make is kept between runs, outside the project's folder so that `git clean` spares it. */
export const cacheFolder = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'kubernetes-redis-cluster',
);

/** A short name for the content of files: what is made from them is kept under it and made again when it changes. */
export async function contentKey(files: readonly string[], ...more: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file)).update('\0');
  for (const text of more) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 10);
}

/**
 * The path of `name` in the cache, made by `make` if it is not there yet. `make` is given a path beside it and the
 * result is moved into place only when it is whole, so a run that is cut short leaves nothing half made. The caller
 * holds the build lock.
 */
export async function cached(name: string, log: Log, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(cacheFolder, name);
  if (existsSync(path)) return path;
  const partial = `${path}.partial`;
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  await rm(partial, { recursive: true, force: true });
  log(`Making ${name} …`);
  const start = performance.now();
  await make(partial);
  await rename(partial, path);
  log(`Made ${name} in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  return path;
}
