import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalStore } from '../../operations/run/journal.ts';

const ending = '.jsonl';

/** Journals as files of lines in a folder that all windows of this user share; made when the first one is written. */
export function journalFiles(folder: string): JournalStore {
  const fileOf = (id: string): string => join(folder, `${id}${ending}`);
  return {
    list: async () => {
      const names = await readdir(folder).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      return names
        .filter((name) => name.endsWith(ending))
        .map((name) => name.slice(0, -ending.length))
        .sort();
    },
    read: async (id) => (await readFile(fileOf(id), 'utf8')).split('\n').filter((line) => line !== ''),
    append: async (id, line) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Before the line and not behind it: what a crash has cut off must not swallow the next one.
      await appendFile(fileOf(id), `\n${line}`, { mode: 0o600 });
    },
    remove: (id) => rm(fileOf(id), { force: true }),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
