import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Makes the .vsix as `npm run package` does, and returns its path. Rejects with what the script says. */
export async function makePackage(
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  await run(process.execPath, ['scripts/package.ts', '--out', file, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  return file;
}
