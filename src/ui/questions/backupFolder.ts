import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, UserError } from '../../model/errors.ts';
import type { BackupPlace } from '../../operations/backup.ts';

/** A folder of this computer that becomes one backup. */
export interface BackupFolder {
  readonly path: string;
  /** Makes the folder, which must not be there. */
  readonly place: () => Promise<BackupPlace>;
  /** Removes it with all that was written. */
  readonly discard: () => Promise<void>;
}

/** @param parent where backups are kept: each is a folder named after the cluster and the time (UTC) */
export function backupFolder(parent: string, cluster: string, at: Date): BackupFolder {
  const time = at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const path = join(parent, `${cluster.replaceAll(/[^\w.-]+/g, '-')}-${time}`);
  let isMade = false;
  return {
    path,
    place: async () => {
      await named(path, async () => {
        await makeFolders(parent);
        await mkdir(path, { mode: 0o700 });
      });
      isMade = true;
      return { create: (name) => createFile(join(path, name)) };
    },
    discard: async () => {
      // What was there before is not ours to remove.
      if (isMade) await rm(path, { recursive: true, force: true });
      isMade = false;
    },
  };
}

/** Folder by folder, since `mkdir` with `recursive` never ends where a file system takes no folders, as below /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const above = dirname(path);
    if (code === 'ENOENT' && above !== path && !(await isFolder(above))) {
      await makeFolders(above);
      await mkdir(path);
    } else if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function createFile(path: string): ReturnType<BackupPlace['create']> {
  const file = await named(path, () => open(path, 'wx', 0o600));
  return {
    write: async (bytes) => {
      await named(path, () => file.writeFile(bytes));
    },
    end: async () => {
      try {
        await named(path, () => file.sync());
      } finally {
        await file.close();
      }
    },
  };
}

/** What the file system says with the path that it says it of. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
    const why = isFull ? 'the disk is full' : messageOf(error);
    throw new UserError('failed', `${path} cannot be written: ${why}.`, { cause: error });
  }
}
