import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether a process of this machine still exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Waits until this process holds the lock file, which names its holder's process. A lock whose holder is gone is taken
 * over; after `limitMs` milliseconds it is taken regardless. What it guards must stay right without it (an atomic
 * rename): the lock only saves several processes from doing the same long work.
 * @returns what gives the lock back.
 */
export async function holdLock(
  path: string,
  limitMs: number,
  log: (line: string) => void,
): Promise<() => Promise<void>> {
  const own = `${path}.${process.pid}`;
  await writeFile(own, `${process.pid}\n`);
  try {
    for (let waited = 0; !(await take(own, path)); waited += 1000) {
      const holder = await readFile(path, 'utf8').then(Number, () => undefined);
      if (holder !== undefined && (!isAlive(holder) || waited >= limitMs)) await rm(path, { force: true });
      else if (waited === 0) log('Waiting for another process that is already doing this.');
      await delay(1000);
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(path, { force: true });
}

/** A hard link appears with its content, or not at all. */
async function take(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
