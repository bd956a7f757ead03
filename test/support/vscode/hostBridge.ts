import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

/** The other end of bridge/extension.cjs: runs functions inside VS Code's extension host. */
export interface HostBridge {
  /** What the extension host's environment must hold for it to connect. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once the extension host has connected. */
  readonly connected: Promise<Socket>;
  /** The JSON result of `source`, a function's text, called with `vscode` and `arg` in the extension host of now. */
  evaluate(source: string, arg: unknown): Promise<unknown>;
  /** Resolves once no extension host is connected, or after `limitMs` milliseconds. */
  gone(limitMs: number): Promise<void>;
  close(): void;
}

/** Longer than any command takes: what waits longer waits for a person. */
const patienceMs = 600_000;
/** Within which a window that reloads has a new extension host; milliseconds. */
const reloadMs = 30_000;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly stack?: string };
}

/** Listens in `folder`, which only this user may enter (on Windows on a named pipe that bears its name). */
export async function listenForHost(folder: string): Promise<HostBridge> {
  const path =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\${folder.replaceAll(/\W/g, '-')}`
      : join(folder, 'host.sock');
  let pending = new Map<number, PromiseWithResolvers<unknown>>();
  let host: Socket | undefined;
  const { promise: connected, resolve: connect } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    // A window that reloads starts a new host, which may connect before the one before it has closed.
    const own = new Map<number, PromiseWithResolvers<unknown>>();
    pending = own;
    createInterface({ input: socket }).on('line', (line) => {
      settle(own, JSON.parse(line) as Answer);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of own.values()) reject(new Error('The extension host has gone.'));
      own.clear();
    });
    connect((host = socket));
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject).listen(path, () => {
    resolve(undefined);
  });
  await listening;

  let lastId = 0;
  return {
    env: { EXTENSION_TEST_SOCKET: path },
    connected,
    evaluate: async (source, arg) => {
      await connected;
      for (let waited = 0; host?.destroyed !== false; waited += 100) {
        if (waited >= reloadMs) throw new Error('The extension host has gone.');
        await delay(100);
      }
      const socket = host;
      const asked = pending;
      const answer = Promise.withResolvers<unknown>();
      const id = (lastId += 1);
      asked.set(id, answer);
      socket.write(`${JSON.stringify({ id, source, arg })}\n`);
      const patience = setTimeout(() => {
        asked.delete(id);
        answer.reject(new Error(`VS Code has not answered within ${patienceMs / 60_000} minutes: ${source}`));
      }, patienceMs);
      try {
        return await answer.promise;
      } finally {
        clearTimeout(patience);
      }
    },
    gone: async (limitMs) => {
      if (host?.closed !== false) return;
      await Promise.race([once(host, 'close'), delay(limitMs, undefined, { ref: false })]);
    },
    close: () => {
      server.close();
      host?.destroy();
    },
  };
}

function settle(pending: Map<number, PromiseWithResolvers<unknown>>, answer: Answer): void {
  const waiting = pending.get(answer.id);
  pending.delete(answer.id);
  if (answer.error === undefined) waiting?.resolve(answer.value);
  else waiting?.reject(new Error(answer.error.message, { cause: answer.error.stack }));
}
