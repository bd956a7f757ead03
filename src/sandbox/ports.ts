import { createServer } from 'node:net';

/** Every server is reached here only: nobody else on the network can reach them. */
export const host = '127.0.0.1';
/** Below the ports that systems hand out to clients, so that bus ports (10,000 above) are seldom taken. */
const lowestPort = 11_000;
const highestPort = 21_999;

/** A port that nothing listens on, nor on the cluster bus port that belongs to it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort + 1));
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

/** As many different ports. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once('error', () => {
    resolve(false);
  });
  probe.listen({ port, host, exclusive: true }, () => {
    probe.close(() => {
      resolve(true);
    });
  });
  return await promise;
}
