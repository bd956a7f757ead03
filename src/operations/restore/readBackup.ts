import { createHash } from 'node:crypto';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Report } from '../../model/progress.ts';
import type * as redisEntry from '../../redis/entry.ts';
import type { Backup, CopiedShard } from '../backup/description.ts';
import { refusal } from '../nodes.ts';

/** The files of folders on this computer. Their errors name the path. */
export interface FolderFiles {
  /** The names of the files of a folder. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly read: (folder: string, file: string) => AsyncIterable<Buffer>;
}

/** What a folder holds that can be restored. */
export interface BackupFiles {
  readonly folder: string;
  readonly files: readonly { readonly file: string; readonly scanned: redisEntry.Scanned }[];
  /** Slots of which the backup says that they are not in it, such as "5,7-9". */
  readonly missingSlots?: string;
}

interface ReadPorts {
  readonly files: FolderFiles;
  readonly redis: Pick<typeof redisEntry, 'scanRdb'>;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Reads all RDB files of a folder to their ends, before anything is planned with them: those of our backups, of
 * `redis-cli --cluster backup`, or any others. Throws a UserError where there is none, one is damaged or not the one that
 * was written, or one that `backup.json` names is missing.
 */
export async function readBackup(folder: string, ports: ReadPorts): Promise<BackupFiles> {
  const names = (await ports.files.list(folder)).toSorted();
  const backup = names.includes('backup.json') ? await readDescription(folder, ports) : undefined;
  const files = backup?.shards.map(({ file }) => file) ?? names.filter((name) => name.endsWith('.rdb'));
  const missing = files.filter((file) => !names.includes(file));
  if (missing.length > 0) {
    throw refusal('invalid-input', `${folder} is not the whole backup: ${missing.join(', ')} is missing.`);
  }
  if (files.length === 0) throw refusal('invalid-input', `${folder} holds no RDB file (*.rdb).`);
  const read: { file: string; scanned: redisEntry.Scanned }[] = [];
  for (const [index, file] of files.entries()) {
    ports.report({ text: `Reading ${file}`, done: index, total: files.length, unit: 'files' });
    read.push({ file, scanned: await scan(folder, file, backup, ports) });
  }
  const { missingSlots } = backup ?? {};
  return { folder, files: read, ...(missingSlots === undefined ? {} : { missingSlots }) };
}

async function scan(
  folder: string,
  file: string,
  backup: Pick<Backup, 'shards'> | undefined,
  { files, redis, signal }: ReadPorts,
): Promise<redisEntry.Scanned> {
  const hash = createHash('sha256');
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of files.read(folder, file)) {
      signal.throwIfAborted();
      hash.update(piece);
      yield piece;
    }
  };
  const scanned = await redis.scanRdb(pieces(), file);
  const written = backup?.shards.find((shard) => shard.file === file);
  if (written !== undefined && written.sha256 !== hash.digest('hex'))
    throw refusal('invalid-input', `${file} is not the file that the backup wrote: its SHA-256 differs.`);
  return scanned;
}

async function readDescription(
  folder: string,
  { files }: ReadPorts,
): Promise<Pick<Backup, 'shards' | 'missingSlots'>> {
  const pieces: Buffer[] = [];
  for await (const piece of files.read(folder, 'backup.json')) pieces.push(piece);
  try {
    const value = JSON.parse(Buffer.concat(pieces).toString()) as unknown;
    if (isBackup(value)) return value;
  } catch (error) {
    throw refusal('invalid-input', `backup.json of ${folder} cannot be read: ${messageOf(error)}.`);
  }
  throw new UserError(
    'invalid-input',
    `backup.json of ${folder} is not one that this version can read. Nothing was changed.`,
  );
}

function isBackup(value: unknown): value is Pick<Backup, 'shards' | 'missingSlots'> {
  if (typeof value !== 'object' || value === null || !('format' in value) || !('shards' in value))
    return false;
  const { shards } = value;
  if (value.format !== 1 || !Array.isArray(shards)) return false;
  if ('missingSlots' in value && typeof value.missingSlots !== 'string') return false;
  return shards.every(isShard);
}

/** A file's name is one of the folder's own: it leads nowhere else. */
function isShard(value: unknown): value is CopiedShard {
  if (typeof value !== 'object' || value === null || !('file' in value) || !('sha256' in value)) return false;
  const { file, sha256 } = value;
  return typeof sha256 === 'string' && typeof file === 'string' && /^[\w.-]+\.rdb$/.test(file);
}
