import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { parse } from 'yaml';
import type { TableRight } from './permissionsTable.ts';

/** A request as the API server's authorizer sees it. */
interface Seen {
  readonly user: string;
  readonly right: TableRight;
  readonly isRefused: boolean;
}

/** An address of the API server that passes everything on, and keeps which right each request took. */
export interface RecordingApi {
  readonly url: string;
  /** What was asked for with this token since it was forgotten; watches and streams too, from when they were answered. */
  seen(token: string): readonly Seen[];
  forget(): void;
  close(): void;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
}

export async function startRecordingApi(kubeconfig: string): Promise<RecordingApi> {
  const { clusters } = parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = clusters[0]?.cluster ?? {};
  const { hostname, port } = new URL(cluster['server'] ?? '');
  const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64');
  let all: Seen[] = [];
  const sockets = new Set<Duplex>();
  const optionsFor = ({ method, url, headers }: IncomingMessage): RequestOptions => ({
    ...{ hostname, port, ca, path: url ?? '/', agent: false },
    ...(method === undefined ? {} : { method }),
    headers: { ...headers, host: `${hostname}:${port}` } satisfies OutgoingHttpHeaders,
  });
  const keep = (request: IncomingMessage, status = 0): void => {
    const right = rightOf(request);
    const user = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (right !== undefined) all.push({ user, right, isRefused: status === 403 });
  };
  const server = createServer((request, response) => {
    const upstream = requestHttps(optionsFor(request), (answer) => {
      keep(request, answer.statusCode);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const upstream = requestHttps(optionsFor(request));
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    upstream.on('response', (answer) => {
      keep(request, answer.statusCode);
      client.end(
        `HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}\r\nContent-Length: 0\r\n\r\n`,
      );
      answer.resume();
    });
    upstream.on('upgrade', (answer, socket, first) => {
      keep(request, answer.statusCode);
      const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`);
      client.write(first);
      socket.write(head);
      socket.on('error', () => client.destroy());
      socket.pipe(client).pipe(socket);
    });
    upstream.end();
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: (token) => all.filter(({ user }) => user === token),
    forget: () => (all = []),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  PATCH: 'patch',
  PUT: 'update',
  DELETE: 'delete',
};

/** https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb */
function rightOf({ method = 'GET', url = '/' }: IncomingMessage): TableRight | undefined {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const path = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)\/(?:namespaces\/[^/]+\/(?=.))?(.+)$/.exec(pathname)?.[1];
  if (path === undefined || path.startsWith('selfsubject')) return undefined;
  const [resource = '', name, part] = path.split('/');
  const isWatch = ['1', 'true'].includes(searchParams.get('watch') ?? '');
  const reading = isWatch ? 'watch' : name === undefined ? 'list' : 'get';
  return [verbs[method] ?? reading, part === undefined ? resource : `${resource}/${part}`];
}
