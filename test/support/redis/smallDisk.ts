import { execFile } from 'node:child_process';
import { mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A folder of its own that becomes full; needs the right to mount. */
export async function mountSmallDisk(megabytes: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-small-disk-'));
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  return folder;
}

export async function unmount(folder: string): Promise<void> {
  await promisify(execFile)('umount', ['--lazy', folder]);
  await rmdir(folder);
}

/** What has to be taken of a disk so that only so much is left. */
export async function bytesBut(folder: string, left: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize - left;
}
