import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../model/errors.ts';
import type { FolderFiles } from '../operations/backups/readBackup.ts';

/** Folders of this computer. What the file system refuses is said with the path. */
export const folderFiles: FolderFiles = {
  list: async (folder) => {
    try {
      return await readdir(folder);
    } catch (error) {
      throw unreadable(folder, error);
    }
  },
  stamp: async (folder, file) => {
    const path = join(folder, file);
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path);
      return [ino, size, mtimeMs, ctimeMs].join(' ');
    } catch (error) {
      throw unreadable(path, error);
    }
  },
  read: async function* (folder, file) {
    const path = join(folder, file);
    try {
      for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) yield piece as Buffer;
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) throw unreadable(path, error);
      throw error;
    }
  },
};

function unreadable(path: string, error: unknown): UserError {
  return new UserError('invalid-input', `${path} cannot be read: ${messageOf(error)}. Nothing was changed.`);
}
