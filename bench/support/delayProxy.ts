// A thread that stands between a network namespace without any network and servers that also listen on Unix sockets:
// it listens on the servers' own addresses there, and passes everything on after a delay.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface ProxyRoutes {
  readonly delayMs: number;
  readonly routes: readonly { readonly host: string; readonly port: number; readonly path: string }[];
}

/** Each piece leaves as long after the one before it as it came, so the order stays. */
function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (data) => {
    setTimeout(() => {
      to.write(data);
    }, delayMs);
  });
  const end = (): void => {
    setTimeout(() => {
      to.destroy();
    }, delayMs);
  };
  from.on('close', end).on('error', end);
}

async function main({ delayMs, routes }: ProxyRoutes): Promise<void> {
  for (const { host, port, path } of routes) {
    const server = createServer({ noDelay: true }, (client) => {
      const upstream = connect(path);
      pass(client, upstream, delayMs);
      pass(upstream, client, delayMs);
    });
    server.listen({ host, port });
    await once(server, 'listening');
  }
  parentPort?.postMessage('ready');
}

await main(workerData as ProxyRoutes);
