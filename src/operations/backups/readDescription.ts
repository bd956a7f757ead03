import type { UserError } from '../../model/errors.ts';
import { messageOf } from '../../model/errors.ts';
import type { Backup, CopiedShard } from './description.ts';
import { refusal } from '../servers/nodes.ts';
import type { FolderFiles } from './readBackup.ts';

/** What a folder says of its files; the SHA-256 is absent where it says none. */
export interface Described {
  readonly files: readonly { readonly file: string; readonly sha256?: string }[];
  readonly missingSlots?: string;
}

/**
 * What `backup.json` says, or else `nodes.json` as redis-cli writes it: each master that owns slots has a file that ends
 * with its id. Undefined where there is neither. Throws a UserError where one cannot be read, or a master has no file.
 */
export async function readDescription(
  folder: string,
  names: readonly string[],
  files: FolderFiles,
): Promise<Described | undefined> {
  if (names.includes('backup.json')) {
    const backup = await readJson(folder, 'backup.json', files);
    if (isBackup(backup)) return { ...backup, files: backup.shards };
    throw notOurs(folder, 'backup.json');
  }
  if (!names.includes('nodes.json')) return undefined;
  const nodes = await readJson(folder, 'nodes.json', files);
  if (!Array.isArray(nodes) || !nodes.every(isNode)) throw notOurs(folder, 'nodes.json');
  const owners = nodes.filter(({ slots_count: count }) => count > 0);
  const found = owners.map(({ name }) => names.find((file) => file.endsWith(`-${name}.rdb`)));
  const lost = owners.find((_, index) => found[index] === undefined);
  if (lost !== undefined) {
    const { name, host, port } = lost;
    throw refusal(
      'invalid-input',
      `${folder} is not the whole backup: the file of ${host}:${port} (${name}) is missing.`,
    );
  }
  return { files: found.flatMap((file) => (file === undefined ? [] : [{ file }])) };
}

async function readJson(folder: string, name: string, files: FolderFiles): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of files.read(folder, name)) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString()) as unknown;
  } catch (error) {
    throw refusal('invalid-input', `${name} of ${folder} cannot be read: ${messageOf(error)}.`);
  }
}

function notOurs(folder: string, name: string): UserError {
  return refusal('invalid-input', `${name} of ${folder} is not one that this version can read.`);
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

interface WrittenNode {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly slots_count: number;
}

function isNode(value: unknown): value is WrittenNode {
  if (typeof value !== 'object' || value === null) return false;
  if (!('name' in value && 'host' in value && 'port' in value && 'slots_count' in value)) return false;
  const { name, host, port, slots_count: count } = value;
  return (
    typeof name === 'string' &&
    typeof host === 'string' &&
    typeof port === 'number' &&
    typeof count === 'number'
  );
}
