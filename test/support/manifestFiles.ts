import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const manifestFolder = join(import.meta.dirname, '../../manifests');

/** The files of manifests/ by their paths in it. */
export function manifestFiles(): ReadonlyMap<string, string> {
  const entries = readdirSync(manifestFolder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(manifestFolder.length + 1), readFileSync(path, 'utf8')]));
}
