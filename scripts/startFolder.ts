// What runs of `npm start` at the same time share, and what each has of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdLock, isAlive } from './lock.ts';

/** A build takes about two seconds; who waits longer than this takes over from one that hangs. */
const lockLimitMs = 60_000;
const sources = ['src', 'media', 'esbuild.mjs', 'scripts/bundles.mjs', 'package-lock.json'];

export interface RunFolder {
  /** Where this run's VS Code keeps what its user changes. */
  readonly folder: string;
  /** 1 for the only run, 2 for a second one beside it, … */
  readonly number: number;
  /** Lets a later run have the folder. */
  readonly release: () => Promise<void>;
}

/**
 * Builds the extension unless what is built is of the present sources, so that a second run does not take away what a first
 * one is about to load. Then gives the first folder that no other run uses: settings made in one run are there in the next.
 * @throws Error when the build fails; its output says why.
 */
export async function prepareRun(root: string, log: (line: string) => void): Promise<RunFolder> {
  const all = join(root, '.vscode-test');
  await mkdir(all, { recursive: true });
  const giveBack = await holdLock(join(all, 'start.lock'), lockLimitMs, log);
  try {
    await build(root);
    return await freeFolder(all);
  } finally {
    await giveBack();
  }
}

async function build(root: string): Promise<void> {
  // In dist/, which every other build empties: what those built is not known to be of these sources.
  const stamp = join(root, 'dist', '.built');
  const built = await stat(stamp).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const changed = await Promise.all(sources.map((name) => lastChange(join(root, name))));
  if (built > Math.max(...changed)) return;
  const started = new Date();
  const child = spawn(process.execPath, [join(root, 'esbuild.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('The extension could not be built: see above.');
  await writeFile(stamp, '');
  await utimes(stamp, started, started);
}

/** The latest change of a file, or of anything in a folder; a removed file changes its folder. Milliseconds. */
async function lastChange(path: string): Promise<number> {
  const { mtimeMs } = await stat(path);
  const inside = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const changes = await Promise.all(
    inside.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).mtimeMs),
  );
  return Math.max(mtimeMs, ...changes);
}

async function freeFolder(all: string): Promise<RunFolder> {
  for (let number = 1; ; number++) {
    const folder = join(all, number === 1 ? 'start' : `start-${number}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const user = join(folder, 'used-by');
    const pid = await readFile(user, 'utf8').then(Number, () => 0);
    if (pid > 0 && isAlive(pid)) continue;
    await writeFile(user, String(process.pid));
    return { folder, number, release: () => rm(user, { force: true }) };
  }
}
