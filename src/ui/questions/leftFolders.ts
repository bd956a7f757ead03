import { readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The machine stands in the name too, as containers can share a folder for temporary files and no process numbers. */
const beginning = `redis-cli-${hostname()}-`;

/** How the name of a temporary folder begins that this process makes and removes when its terminal is closed. */
export function folderPrefix(): string {
  return join(tmpdir(), `${beginning}${process.pid}-`);
}

/** Removes what processes that have ended left: passwords and certificates of terminals whose editor crashed. */
export async function removeLeftFolders(folder = tmpdir()): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => {
    const pid = name.startsWith(beginning) ? /^(\d+)-/.exec(name.slice(beginning.length))?.[1] : undefined;
    return pid !== undefined && hasEnded(Number(pid));
  });
  await Promise.allSettled(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
