import { createHash } from 'node:crypto';
import type { Report } from '../../model/progress.ts';
import type * as redisEntry from '../../redis/entry.ts';
import { refusal } from '../servers/nodes.ts';
import { readDescription, type Described } from './readDescription.ts';

/** The files of folders on this computer. Their errors name the path. */
export interface FolderFiles {
  /** The names of the files of a folder. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly read: (folder: string, file: string) => AsyncIterable<Buffer>;
  /** Another text whenever the file is another one, or has been written to. */
  readonly stamp: (folder: string, file: string) => Promise<string>;
}

/** What a folder holds that can be restored. */
export interface BackupFiles {
  readonly folder: string;
  readonly files: readonly { readonly file: string; readonly scanned: redisEntry.Scanned }[];
  /** Slots of which the backup says that they are not in it, such as "5,7-9". */
  readonly missingSlots?: string;
}

/** How many keys its files have, also those that have expired since. */
export function keysIn({ files }: BackupFiles): number {
  return files.reduce((sum, { scanned }) => sum + scanned.keys, 0);
}

export interface ReadPorts {
  readonly files: FolderFiles;
  readonly redis: Pick<typeof redisEntry, 'scanRdb'>;
  readonly report: Report;
  readonly signal: AbortSignal;
}

interface Look {
  readonly stamp: string;
  readonly scanned: redisEntry.Scanned;
  readonly sha256: string;
}

/** Files that were read to their ends, by path, the latest last: what has not changed since is not read again. */
const looks = new Map<string, Look>();
const mostLooks = 64;

/**
 * Reads all RDB files of a folder to their ends, before anything is done with them: those of our backups, of
 * `redis-cli --cluster backup`, or any others. Throws a UserError where there is none, one is damaged or not the one that
 * was written, or one that `backup.json` or `nodes.json` names is missing.
 */
export async function readBackup(folder: string, ports: ReadPorts): Promise<BackupFiles> {
  const names = (await ports.files.list(folder)).toSorted();
  const described = await readDescription(folder, names, ports.files);
  const files = described?.files.map(({ file }) => file) ?? names.filter((name) => name.endsWith('.rdb'));
  const missing = files.filter((file) => !names.includes(file));
  if (missing.length > 0) {
    throw refusal('invalid-input', `${folder} is not the whole backup: ${missing.join(', ')} is missing.`);
  }
  if (files.length === 0) throw refusal('invalid-input', `${folder} holds no RDB file (*.rdb).`);
  const read: { file: string; scanned: redisEntry.Scanned }[] = [];
  for (const [index, file] of files.entries()) {
    ports.report({ text: `Reading ${file}`, done: index, total: files.length, unit: 'files' });
    read.push({ file, scanned: await scan(folder, file, described, ports) });
  }
  const { missingSlots } = described ?? {};
  return { folder, files: read, ...(missingSlots === undefined ? {} : { missingSlots }) };
}

async function scan(
  folder: string,
  file: string,
  described: Described | undefined,
  ports: ReadPorts,
): Promise<redisEntry.Scanned> {
  const stamp = await ports.files.stamp(folder, file);
  const path = `${folder}\n${file}`;
  const known = looks.get(path);
  const look = known?.stamp === stamp ? known : { stamp, ...(await read(folder, file, ports)) };
  looks.delete(path);
  looks.set(path, look);
  for (const oldest of [...looks.keys()].slice(0, -mostLooks)) looks.delete(oldest);
  const written = described?.files.find((one) => one.file === file)?.sha256;
  if (written !== undefined && written !== look.sha256)
    throw refusal('invalid-input', `${file} is not the file that the backup wrote: its SHA-256 differs.`);
  return look.scanned;
}

async function read(
  folder: string,
  file: string,
  { files, redis, signal }: ReadPorts,
): Promise<Omit<Look, 'stamp'>> {
  const hash = createHash('sha256');
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of files.read(folder, file)) {
      signal.throwIfAborted();
      hash.update(piece);
      yield piece;
    }
  };
  const scanned = await redis.scanRdb(pieces(), file, Date.now());
  return { scanned, sha256: hash.digest('hex') };
}
