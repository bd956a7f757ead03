import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Of each picture what it shows, and a digest of what that held when it was taken: a pattern of source files, or a part
 * of a JSON file, such as `package.json#contributes.viewsWelcome`.
 */
export type PictureRecord = Readonly<Record<string, Readonly<Record<string, string>>>>;

const file = 'docs/pictures/pictures.json';

export function readRecord(root: string): PictureRecord {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as PictureRecord;
}

/** @throws Error where one of them is not there. */
export function digestsOf(root: string, shows: readonly string[]): PictureRecord[string] {
  return Object.fromEntries(shows.map((shown) => [shown, digest(root, shown)]));
}

export function writeRecord(root: string, picture: string, digests: PictureRecord[string]): void {
  const record = { ...readRecord(root), [picture]: digests };
  const sorted = Object.fromEntries(Object.entries(record).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(join(root, file), `${JSON.stringify(sorted, null, 2)}\n`);
}

/** The pictures that show sources which have changed since, with the patterns of these. */
export function outdated(
  root: string,
  record: PictureRecord,
): readonly { readonly picture: string; readonly changed: readonly string[] }[] {
  return Object.entries(record).flatMap(([picture, shows]) => {
    const changed = Object.entries(shows).flatMap(([pattern, known]) =>
      digest(root, pattern) === known ? [] : [pattern],
    );
    return changed.length === 0 ? [] : [{ picture, changed }];
  });
}

/** @throws Error where there is no such file or part. */
function digest(root: string, shown: string): string {
  const [pattern = '', part] = shown.split('#');
  const files = globSync(pattern, { cwd: root }).sort();
  const hash = createHash('sha256');
  for (const path of files) {
    const text = readFileSync(join(root, path), 'utf8');
    hash.update(`${path}\n`).update(part === undefined ? text : partOf(text, part));
  }
  if (files.length === 0) throw new Error(`No file is ${pattern}.`);
  return hash.digest('hex').slice(0, 16);
}

function partOf(json: string, path: string): string {
  let value: unknown = JSON.parse(json);
  for (const name of path.split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  if (value === undefined) throw new Error(`Nothing is ${path}.`);
  return JSON.stringify(value);
}
