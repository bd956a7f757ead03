import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { parse } from 'yaml';

/** An address that nothing resolves: only who asks the proxy gets there. */
export const hiddenHost = 'kubernetes.hidden.invalid';

export interface ConnectProxy {
  readonly url: string;
  /** `host:port` of each CONNECT. */
  readonly asked: readonly string[];
  close(): void;
}

/** A proxy that tunnels (CONNECT) and does nothing else; the hidden host is the API server at this address. */
export async function startConnectProxy(api: URL): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((_request, response) => {
    response.writeHead(405).end();
  });
  proxy.on('connect', ({ url = '' }, client: Socket, head: Buffer) => {
    asked.push(url);
    const [host = '', port] = url.split(':');
    const hostname = host === hiddenHost ? api.hostname : host;
    const upstream = connect(Number(host === hiddenHost ? api.port : port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

/** Where the API server of a kubeconfig's first cluster is. */
export async function apiServerIn(kubeconfig: string): Promise<URL> {
  const { clusters } = await readConfig(kubeconfig);
  return new URL(String(clusters[0]?.cluster['server']));
}

/** Writes a copy whose API server is the hidden host; its certificate still has to bear the real one's name. */
export async function hideApiServer(
  kubeconfig: string,
  to: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const config = await readConfig(kubeconfig);
  const { hostname } = await apiServerIn(kubeconfig);
  const clusters = config.clusters.map(({ name, cluster }) => ({
    name,
    cluster: { ...cluster, server: `https://${hiddenHost}:6443`, 'tls-server-name': hostname, ...more },
  }));
  await writeFile(to, JSON.stringify({ ...config, clusters }));
}

/** Writes a copy that names no authority, so that only those that the machine trusts count; returns the one it named. */
export async function withoutAuthority(kubeconfig: string, to: string, context: string): Promise<string> {
  const config = await readConfig(kubeconfig);
  const { 'certificate-authority-data': authority, ...cluster } = config.clusters[0]?.cluster ?? {};
  const contexts = config.contexts.map((one) => ({ ...one, name: context }));
  await writeFile(
    to,
    JSON.stringify({ ...config, contexts, clusters: [{ name: config.clusters[0]?.name, cluster }] }),
  );
  return Buffer.from(String(authority), 'base64').toString();
}

interface Config {
  readonly contexts: readonly object[];
  readonly clusters: readonly {
    readonly name: string;
    readonly cluster: Readonly<Record<string, unknown>>;
  }[];
}

async function readConfig(path: string): Promise<Config> {
  return parse(await readFile(path, 'utf8')) as Config;
}
