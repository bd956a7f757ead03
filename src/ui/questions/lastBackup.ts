import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../../model/errors.ts';

/** What a folder says of the backup in it; a folder of files by other tools says nothing. */
export interface KnownBackup {
  readonly path: string;
  readonly cluster?: string;
  /** ISO 8601, UTC. */
  readonly endedAt?: string;
}

/** The backup in a folder, or the last of those in the folders in it. Throws a UserError where there is none. */
export async function lastBackup(folder: string): Promise<KnownBackup> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new UserError(
      'invalid-input',
      `${folder} cannot be read: ${messageOf(error)}. Nothing was changed.`,
    );
  });
  if (entries.some(({ name }) => name === 'backup.json')) return await described(folder);
  if (entries.some(({ name }) => name.endsWith('.rdb'))) return { path: folder };
  const inner = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const all = await Promise.all(inner.map((path) => described(path).catch((): KnownBackup => ({ path }))));
  const [last] = all
    .filter(({ endedAt }) => endedAt !== undefined)
    .toSorted((a, b) => (b.endedAt ?? '').localeCompare(a.endedAt ?? ''));
  if (last !== undefined) return last;
  throw new UserError('not-found', `${folder} holds no backup, and none of its folders does.`);
}

async function described(path: string): Promise<KnownBackup> {
  const { cluster, endedAt } = await readDescription(path);
  return {
    path,
    ...(typeof cluster === 'string' ? { cluster } : {}),
    ...(typeof endedAt === 'string' ? { endedAt } : {}),
  };
}

async function readDescription(path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(path, 'backup.json');
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UserError('invalid-input', `${file} cannot be read: ${messageOf(error)}. Nothing was changed.`);
  }
  throw new UserError('invalid-input', `${file} is not the description of a backup. Nothing was changed.`);
}

/** Writes into `backup.json` when its keys were last restored and compared. Files of other tools have no such place. */
export async function noteRehearsal({ path, endedAt }: KnownBackup, at: Date): Promise<void> {
  if (endedAt === undefined) return;
  const text = JSON.stringify({ ...(await readDescription(path)), rehearsedAt: at.toISOString() }, null, 2);
  const next = join(path, '.backup.json.new');
  await writeFile(next, `${text}\n`, { mode: 0o600 });
  await rename(next, join(path, 'backup.json'));
}
