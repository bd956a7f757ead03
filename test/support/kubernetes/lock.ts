import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import { cacheFolder } from './cache.ts';
import type { Log } from './run.ts';

/**
 * The address of a socket in Linux's abstract namespace. The kernel frees such an address when the process that
 * listens on it ends, however it ends, so it needs no clean-up and can never be stale as a lock file can.
 */
export function abstractAddress(name: string): string {
  return `\0kubernetes-redis-cluster-${String(process.getuid?.() ?? 0)}-${name}`;
}

/** Listens on the address, or returns undefined when another process already does. */
export async function listen(address: string): Promise<Server | undefined> {
  const server = createServer();
  try {
    server.listen(address);
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Runs `work` while nobody else makes parts for the same cache. */
export async function withBuildLock<T>(log: Log, work: () => Promise<T>): Promise<T> {
  const cacheKey = createHash('sha256').update(cacheFolder).digest('hex').slice(0, 10);
  const waiting = (): void => {
    log('Waiting for another build …');
  };
  return await withLock(`build-${cacheKey}`, waiting, work);
}

/** Runs `work` while no other process on this machine runs work under the same name; waits for its turn. */
export async function withLock<T>(name: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  const address = abstractAddress(name);
  let server = await listen(address);
  if (server === undefined) waiting();
  while (server === undefined) {
    await closed(address);
    server = await listen(address);
  }
  const held = server;
  const waiters = new Set<Socket>();
  held.on('connection', (socket) => {
    socket.on('error', () => undefined).resume();
    waiters.add(socket);
  });
  try {
    return await work();
  } finally {
    held.close();
    for (const waiter of waiters) waiter.destroy();
  }
}

async function closed(address: string): Promise<void> {
  const socket = connect(address);
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve();
    });
    socket.resume();
  });
}
