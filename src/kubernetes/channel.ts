import type { RequestOptions } from 'node:https';
import WebSocket from 'ws';

import type { ApiClient } from './client.ts';
import { ApiFailure, explainProblem, type Asked } from './problems.ts';
import type { SignIn } from './signIn.ts';

/** What Kubernetes calls its streams as a WebSocket's subprotocol; the newest first. */
const protocols = [...[5, 4, 3, 2].map((version) => `v${String(version)}.channel.k8s.io`), 'channel.k8s.io'];
/** Milliseconds between pings, and without any sign of life after which the other end counts as gone. */
const pingEvery = 10_000;
const silence = 30_000;
/** Milliseconds the other end has to answer a close before the connection is cut. */
const closeLimit = 1_000;

/** One WebSocket that carries numbered streams, as the API server speaks for exec and port-forward. */
export interface Channel {
  /** Bytes that are sent but not yet handed to the network. */
  readonly waiting: number;
  send(stream: number, data: Uint8Array, sent: () => void): void;
  /** Stops reading, so that the other end has to wait. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface ChannelEnds {
  onData(stream: number, data: Buffer): void;
  onClose(): void;
}

/** Opens a WebSocket to `path`. Throws UserErrors, with the server's own words where it refused. */
export async function openChannel(
  signIn: SignIn,
  client: ApiClient,
  path: string,
  asked: Asked,
  ends: ChannelEnds,
  signal?: AbortSignal,
): Promise<Channel> {
  signal?.throwIfAborted();
  try {
    return channel(await connect(signIn, path, ends), ends, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ApiFailure) await explainRefusal(client, path, asked, signal);
    throw explainProblem(error, signIn.context, asked);
  }
}

/** An upgrade's refusal has no text; the same request without upgrade gets the reason, or a 400 that asks for one. */
async function explainRefusal(
  client: ApiClient,
  path: string,
  asked: Asked,
  signal?: AbortSignal,
): Promise<void> {
  await client.json({ asked, method: 'GET', path, signal, limit: 5_000 });
}

async function connect(signIn: SignIn, path: string, ends: ChannelEnds): Promise<WebSocket> {
  const attempt = async (): Promise<WebSocket> => {
    const config = signIn.config();
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const server = config.getCurrentCluster()?.server ?? '';
    return await opened(new WebSocket(server.replace(/^http/, 'ws') + path, protocols, options), ends);
  };
  try {
    return await attempt();
  } catch (thrown) {
    const error = openingError(thrown);
    if (!(error instanceof ApiFailure && error.status === 401 && signIn.renew())) throw error;
    return await attempt().catch((again: unknown) => {
      throw openingError(again);
    });
  }
}

function opened(socket: WebSocket, ends: ChannelEnds): Promise<WebSocket> {
  // From the first moment: the server's first bytes can come together with its consent.
  socket.on('message', (data, isBinary) => {
    if (isBinary && data instanceof Buffer && data.length > 0)
      ends.onData(data.readUInt8(0), data.subarray(1));
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

/** `ws` reports a refusal as a text with the status. */
function openingError(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error('the connection could not be opened');
  const status = /Unexpected server response: (\d{3})/.exec(error.message)?.[1];
  if (status !== undefined) return new ApiFailure(Number(status), error.message);
  if (error.message.includes('handshake has timed out'))
    return Object.assign(new Error(error.message), { code: 'ETIMEDOUT' });
  return error;
}

function channel(socket: WebSocket, ends: ChannelEnds, signal?: AbortSignal): Channel {
  let heard = performance.now();
  const alive = (): void => {
    heard = performance.now();
  };
  const timer = setInterval(() => {
    if (!socket.isPaused && performance.now() - heard > silence) socket.terminate();
    else socket.ping();
  }, pingEvery);
  const close = (): void => {
    socket.close();
    setTimeout(() => {
      socket.terminate();
    }, closeLimit).unref();
  };
  signal?.addEventListener('abort', close, { once: true });
  socket.on('pong', alive);
  socket.on('message', alive);
  socket.on('error', () => {
    socket.terminate();
  });
  socket.on('close', () => {
    clearInterval(timer);
    signal?.removeEventListener('abort', close);
    ends.onClose();
  });
  if (signal?.aborted === true) close();
  return {
    get waiting() {
      return socket.bufferedAmount;
    },
    send: (stream, data, sent) => {
      const framed = Buffer.allocUnsafe(data.length + 1);
      framed[0] = stream;
      framed.set(data, 1);
      socket.send(framed, sent);
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      alive();
      socket.resume();
    },
    close,
  };
}
