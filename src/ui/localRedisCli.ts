import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Address } from '../model/clusterRef.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { folderPrefix } from './questions/leftFolders.ts';

/** How to start redis-cli on this machine, and what is to be removed when it has ended. */
export interface LocalRedisCli {
  readonly shellPath: string;
  readonly shellArgs: readonly string[];
  readonly end: () => Promise<void>;
}

/** Reads the password that waits in a pipe, and becomes redis-cli, which takes it from its own environment only. */
const signedIn =
  'IFS= read -r REDISCLI_AUTH < "$0" || exit 1; rm -f "$0"; export REDISCLI_AUTH; exec redis-cli "$@"';

/**
 * A password stands neither in an argument nor in the terminal's environment, which any extension can read: it waits in a
 * named pipe in a folder that only this user can open. Where there are no named pipes (Windows), redis-cli asks for it.
 * Certificates are files in that folder until the terminal is closed, or the next start after a crash: redis-cli takes
 * them by path only.
 */
export async function localRedisCli(
  at: Address | { readonly path: string },
  { username, password, tls }: Credentials,
): Promise<LocalRedisCli> {
  const folder = await mkdtemp(folderPrefix());
  const end = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const files: string[] = [];
    for (const [part, option] of tlsOptions) {
      const text = tls?.[part];
      if (text === undefined) continue;
      const file = join(folder, part);
      await writeFile(file, text, { mode: 0o600 });
      files.push(option, file);
    }
    const args = [
      // Through a socket no other node can be reached, so redirections are shown instead of followed.
      ...('path' in at ? ['-s', at.path] : ['-h', at.host, '-p', String(at.port), '-c']),
      ...(username === undefined ? [] : ['--user', username]),
      ...(tls === undefined ? [] : ['--tls', ...files]),
      ...(tls?.serverName === undefined ? [] : ['--sni', tls.serverName]),
    ];
    if (password === undefined) return { shellPath: 'redis-cli', shellArgs: args, end };
    if (process.platform === 'win32')
      return { shellPath: 'redis-cli', shellArgs: [...args, '--askpass'], end };
    const { path, close } = await pipeWith(folder, password);
    return {
      shellPath: '/bin/sh',
      shellArgs: ['-c', signedIn, path, ...args],
      end: async () => {
        await close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const tlsOptions = [
  ['ca', '--cacert'],
  ['cert', '--cert'],
  ['key', '--key'],
] as const;

/** Opened for both directions, so that to write waits for no reader, and the text is there until somebody reads it. */
async function pipeWith(
  folder: string,
  text: string,
): Promise<{ readonly path: string; readonly close: () => Promise<void> }> {
  const path = join(folder, 'password');
  await promisify(execFile)('mkfifo', ['-m', '600', path]);
  const pipe = await open(path, 'r+');
  await pipe.write(`${text}\n`);
  return { path, close: () => pipe.close() };
}
