import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

import { messageOf, UserError } from '../model/errors.ts';
import type { ApiClient } from './client.ts';
import { openExecTunnel } from './execTunnel.ts';
import type { Forward } from './kubernetesAccess.ts';
import type { SignIn } from './signIn.ts';
import { openTunnel, type PodPort, type Tunnel } from './tunnel.ts';

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
  { folder, ways }: { readonly folder: string; readonly ways: Ways },
  target: PodPort,
  signal?: AbortSignal,
): Promise<Forward> {
  const path = socketPath(folder);
  const ended = new AbortController();
  const open = (): ReturnType<Ways['open']> => ways.open(signIn, client, target, ended.signal);
  const { tunnel: opened, viaExec } = await abortable(open(), ended, signal);
  let spare: Tunnel | undefined = opened;
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
        ({ tunnel }) => {
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
  return { path, viaExec, close };
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

async function abortable<T>(opening: Promise<T>, ended: AbortController, signal?: AbortSignal): Promise<T> {
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

/** Through port-forward: one stream of bytes and one of errors. */
function openForwardTunnel(
  signIn: SignIn,
  client: ApiClient,
  { namespace, pod, port }: PodPort,
  signal: AbortSignal,
): Promise<Tunnel> {
  const started = new Set<number>();
  return openTunnel(
    signIn,
    client,
    {
      path: `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${String(port)}`,
      asked: { verb: 'get and create', resource: 'pods/portforward', namespace, name: pod },
      sendOn: dataStream,
      receive: (stream, data) => {
        // The first two bytes of either stream repeat the port.
        const rest = started.has(stream) ? data : data.subarray(2);
        started.add(stream);
        if (stream === dataStream) return rest;
        return stream === errorStream && rest.length > 0 ? 'end' : undefined;
      },
    },
    signal,
  );
}

/** Milliseconds after which a namespace in which port-forward was refused is asked for it again. */
const refusedFor = 300_000;

/** By which way the ports of a namespace's pods are reached. */
export class Ways {
  readonly #refused = new Map<string, number>();

  /** Port-forward, and exec where that is forbidden. Throws the refusal of both where neither is allowed. */
  async open(
    signIn: SignIn,
    client: ApiClient,
    target: PodPort,
    signal: AbortSignal,
  ): Promise<{ readonly tunnel: Tunnel; readonly viaExec: boolean }> {
    const until = this.#refused.get(target.namespace) ?? 0;
    if (performance.now() < until)
      return { tunnel: await openExecTunnel(signIn, client, target, signal), viaExec: true };
    try {
      return { tunnel: await openForwardTunnel(signIn, client, target, signal), viaExec: false };
    } catch (error) {
      if (!(error instanceof UserError) || error.reason !== 'forbidden') throw error;
      const tunnel = await openExecTunnel(signIn, client, target, signal).catch((other: unknown) => {
        throw bothRefused(error, other);
      });
      this.#refused.set(target.namespace, performance.now() + refusedFor);
      return { tunnel, viaExec: true };
    }
  }
}

function bothRefused(forward: UserError, exec: unknown): unknown {
  if (!(exec instanceof UserError)) return exec;
  const instead =
    exec.reason === 'forbidden' ? 'Neither is pods/exec allowed, which would do instead.' : exec.message;
  return new UserError('forbidden', `${forward.message} ${instead}`, { cause: forward });
}
