import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where pods live: the first three numbers of their addresses, and the ports that they all have. */
export interface Net {
  readonly network: string;
  readonly port: number;
  readonly bus: number;
}

interface Run {
  readonly code: number;
  readonly stdout: string;
}

export function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv, stdin = ''): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout) => {
      resolve({ code: error === null ? 0 : 1, stdout });
    });
    // A process that ends without reading its input says all that matters by its exit code.
    child.stdin?.on('error', () => undefined).end(stdin);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Addresses that no other test is likely to use, and ports that are free now. */
export async function findNet(): Promise<Net> {
  const some = (): number => 1 + Math.floor(Math.random() * 250);
  return { network: `127.${some()}.${some()}`, port: await freePort(), bus: await freePort() };
}

/** Ends a process and all that it started: it leads a group of its own. */
export function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      resolve();
      return;
    }
    child.once('exit', () => {
      resolve();
    });
    process.kill(-child.pid, signal);
  });
}
