import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildS3Server } from '../kubernetes/binaries.ts';
import { withBuildLock } from '../kubernetes/lock.ts';

/** A real S3-compatible server with one bucket, reached through a proxy that can cut connections off. */
export interface S3Server {
  /** Where the objects of the bucket are files. */
  readonly bucket: string;
  /** What the Secret of the manifests holds. */
  readonly secret: Readonly<Record<string, string>>;
  /** Each connection is cut off after it has sent this many bytes. */
  cutAfter: number;
  readonly stop: () => Promise<void>;
}

/** @param given the folder that gets the bucket; its own where there is none */
export async function startS3Server(given?: string): Promise<S3Server> {
  const program = await withBuildLock(console.log, () => buildS3Server(console.log));
  const own = await mkdtemp(join(tmpdir(), 's3-'));
  const folder = given ?? own;
  const bucket = join(folder, 'data', 'backups');
  await mkdir(bucket, { recursive: true });
  await mkdir(join(folder, 'meta'));
  const port = await freePort();
  const [id, key] = ['an-access-key', 'a+secret/with "quotes"'];
  const child = spawn(
    program,
    [
      ...['--port', `127.0.0.1:${port}`, '--quiet', 'posix'],
      ...['--sidecar', join(folder, 'meta'), join(folder, 'data')],
    ],
    {
      env: { PATH: process.env['PATH'], ROOT_ACCESS_KEY: id, ROOT_SECRET_KEY: key },
      stdio: 'ignore',
    },
  );
  await untilListening(child, port);
  const proxy = createServer();
  const server: S3Server = {
    bucket,
    secret: {},
    cutAfter: Infinity,
    stop: async () => {
      proxy.close();
      child.kill();
      if (child.exitCode === null) await once(child, 'close');
      await rm(own, { recursive: true });
    },
  };
  proxy.on('connection', (client: Socket) => {
    let sent = 0;
    const upstream = connect(port, '127.0.0.1');
    client.on('data', (piece: Buffer) => {
      sent += piece.length;
      if (sent > server.cutAfter) client.resetAndDestroy();
    });
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return Object.assign(server, {
    secret: {
      S3_BUCKET: 'backups',
      RCLONE_CONFIG_S3_ENDPOINT: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      RCLONE_CONFIG_S3_ACCESS_KEY_ID: id,
      RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: key,
    },
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(100);
  }
  throw new Error('the S3 server did not start');
}

/** Whether the machine has the program that the manifests' image has. */
export function hasRclone(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'rclone')));
}
