import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

import { messageOf, UserError } from '../model/errors.ts';
import { openChannel, type Channel } from './channel.ts';
import type { ApiClient } from './client.ts';
import type { Forward } from './kubernetesAccess.ts';
import type { Asked } from './problems.ts';
import type { SignIn } from './signIn.ts';

/** Bytes waiting for the network above which the local side has to wait, and below which it goes on. */
const highWater = 1_048_576;
const lowWater = 262_144;

const dataStream = 0;
const errorStream = 1;

/**
 * Makes one pod's port a local socket, one WebSocket per local connection. The first WebSocket is opened at once and
 * kept for the first connection: a forward that cannot work throws a UserError here, where its reason is known.
 * @param folder where the socket is made; only this user may enter it
 */
export async function forward(
  signIn: SignIn,
  client: ApiClient,
  folder: string,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
  signal?: AbortSignal,
): Promise<Forward> {
  const path = socketPath(folder);
  const ended = new AbortController();
  const open = (): Promise<Tunnel> => openTunnel(signIn, client, target, ended.signal);
  let spare: Tunnel | undefined = await abortable(open(), ended, signal);
  const locals = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (local) => {
    locals.add(local);
    local.on('error', () => local.destroy());
    local.on('close', () => locals.delete(local));
    const first = spare?.isOpen() === true ? spare : undefined;
    spare = undefined;
    if (first !== undefined) first.attach(local);
    else
      open().then(
        (tunnel) => {
          tunnel.attach(local);
        },
        (error: unknown) => local.destroy(error instanceof Error ? error : undefined),
      );
  });
  const close = (): void => {
    ended.abort();
    server.close();
    for (const local of locals) local.destroy();
    if (process.platform !== 'win32') rmSync(path, { force: true });
  };
  try {
    await listen(server, path);
  } catch (error) {
    close();
    throw error;
  }
  if (signal?.aborted === true) {
    close();
    signal.throwIfAborted();
  }
  return { path, close };
}

function socketPath(folder: string): string {
  const name = randomUUID().slice(0, 8);
  return process.platform === 'win32' ? `\\\\.\\pipe\\redis-cluster-${randomUUID()}` : join(folder, name);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new UserError('failed', `No local socket could be opened: ${messageOf(error)}`, { cause: error }),
      );
    });
    server.listen(path, resolve);
  });
}

async function abortable(
  opening: Promise<Tunnel>,
  ended: AbortController,
  signal?: AbortSignal,
): Promise<Tunnel> {
  const abort = (): void => {
    ended.abort(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted === true) abort();
    return await opening;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** One WebSocket to a pod's port; what comes before a local socket is attached is kept for it. */
interface Tunnel {
  isOpen(): boolean;
  attach(local: Socket): void;
}

async function openTunnel(
  signIn: SignIn,
  client: ApiClient,
  { namespace, pod, port }: { readonly namespace: string; readonly pod: string; readonly port: number },
  signal: AbortSignal,
): Promise<Tunnel> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${String(port)}`;
  const asked: Asked = { verb: 'create', resource: 'pods/portforward', namespace, name: pod };
  const early: Buffer[] = [];
  const started = new Set<number>();
  let isOpen = true;
  let deliver = (data: Buffer): void => void early.push(data);
  let end = (): void => undefined;
  const channel = await openChannel(
    signIn,
    client,
    path,
    asked,
    {
      onData: (stream, data) => {
        // The first two bytes of either stream repeat the port.
        const rest = started.has(stream) ? data : data.subarray(2);
        started.add(stream);
        if (rest.length === 0) return;
        if (stream === dataStream) deliver(rest);
        else if (stream === errorStream) end();
      },
      onClose: () => {
        isOpen = false;
        end();
      },
    },
    signal,
  );
  return {
    isOpen: () => isOpen,
    attach: (local) => {
      deliver = (data) => {
        if (!local.write(data)) channel.pause();
      };
      end = () => local.destroy();
      for (const data of early.splice(0)) deliver(data);
      if (isOpen) connectBoth(local, channel);
      else local.destroy();
    },
  };
}

function connectBoth(local: Socket, channel: Channel): void {
  local.on('drain', () => {
    channel.resume();
  });
  local.on('data', (data: Buffer) => {
    channel.send(dataStream, data, () => {
      if (local.isPaused() && channel.waiting < lowWater) local.resume();
    });
    if (channel.waiting > highWater) local.pause();
  });
  local.on('close', () => {
    channel.close();
  });
  if (local.destroyed) channel.close();
  else local.resume();
}
