import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../../src/model/clusterRef.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { formCluster } from '../../src/redis/formCluster.ts';
import type { ClusterDialer, Credentials } from '../../src/redis/nodeConnection.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { startServers, type Server } from '../../src/sandbox/servers.ts';
import { serverPrograms, type ServerVersion } from './serverVersions.ts';

export interface ClusterNode extends Server {
  readonly id: string;
  /** What it was when the cluster was formed. */
  readonly role: 'master' | 'replica';
}

export interface TestClusterOptions {
  readonly masters?: number;
  readonly replicasPerMaster?: number;
  readonly password?: string;
  /** redis.conf directives, for example `{ appendonly: 'yes' }` for servers that keep their data when killed. */
  readonly config?: Readonly<Record<string, string>>;
  /** Arguments behind the servers' configuration file, as a shell reads them; `$port` is what they would listen on. */
  readonly flags?: string;
  /** Servers that run beside the cluster and know nobody. */
  readonly spares?: number;
  /** Other servers than the machine's own. */
  readonly version?: ServerVersion;
  /** Numbers of servers of another version among the machine's own, as halfway through an upgrade. */
  readonly mixed?: { readonly version: ServerVersion; readonly numbers: readonly number[] };
}

export interface TestCluster {
  readonly addresses: readonly string[];
  /** Masters first, in the order of their slots; then replicas; then spares. */
  readonly nodes: readonly ClusterNode[];
  readonly dialer: ClusterDialer;
  kill(node: ClusterNode, signal?: NodeJS.Signals): void;
  /** Starts a killed server again on its old port with its old files; waits until the old one is gone. */
  restart(node: ClusterNode): Promise<void>;
  /** The servers' own redis-cli against the first node unless the arguments say another; the password goes by the environment. */
  cli(...args: readonly string[]): Promise<{ code: number; stdout: string }>;
  stop(): Promise<void>;
}

/** A real cluster of redis-server processes on free ports, for one test. It ends with this process at the latest. */
export async function startRedisCluster({
  masters = 3,
  replicasPerMaster = 1,
  password,
  config,
  flags,
  spares = 0,
  version,
  mixed,
}: TestClusterOptions = {}): Promise<TestCluster> {
  const credentials: Credentials = password === undefined ? {} : { password };
  const secrets: Record<string, string> =
    password === undefined ? {} : { requirepass: password, masterauth: password };
  const size = masters * (1 + replicasPerMaster);
  const programs = version === undefined ? undefined : await serverPrograms(version);
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-test-'));
  const usual = programs?.server ?? 'redis-server';
  const program = await flagged(folder, mixed === undefined ? usual : await chooser(folder, mixed), flags);
  const running = await startServers({
    program,
    folder,
    count: size + spares,
    config: { 'cluster-node-timeout': '2000', ...secrets, ...config },
  });
  const pids = running.servers.map(({ pid }) => pid);
  try {
    if (size > 0) {
      const members = running.servers.slice(0, size);
      const limit = AbortSignal.timeout(60_000 + 1_000 * size);
      await formCluster(members, credentials, { masters, replicasPerMaster }, limit);
    }
    const nodes = await Promise.all(running.servers.map((server) => identify(server, credentials)));
    return {
      addresses: nodes.map(formatAddress),
      nodes,
      dialer: dialerFor(nodes, credentials),
      kill: ({ number }, signal = 'SIGKILL') => {
        const pid = pids[number];
        if (pid !== undefined && !running.hasEnded(number)) process.kill(pid, signal);
      },
      restart: async ({ number }) => {
        while (!running.hasEnded(number)) await sleep(20);
        pids[number] = (await running.restart(number)).pid;
      },
      cli: (...args) => redisCli(programs?.cli ?? 'redis-cli', nodes[0], password, args),
      stop: () => running.stop(),
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** A program that starts one version or the other by the number of the folder that the server's configuration is in. */
async function chooser(
  folder: string,
  { version, numbers }: NonNullable<TestClusterOptions['mixed']>,
): Promise<string> {
  const { server } = await serverPrograms(version);
  const program = join(folder, 'either-server');
  const others = numbers.map((number) => `"${folder}/${number}/"*`).join(' | ');
  const text = `#!/bin/sh\ncase $1 in ${others}) exec "${server}" "$@" ;; esac\nexec redis-server "$@"\n`;
  await writeFile(program, text, { mode: 0o755 });
  return program;
}

/** A program that starts another one with arguments of which some follow from the server's port. */
export async function flagged(folder: string, program: string, flags = ''): Promise<string> {
  const path = join(folder, 'flagged-server');
  const text = `#!/bin/sh\nport=$(sed -n 's/^port "\\(.*\\)"/\\1/p' "$1")\nexec "${program}" "$@" ${flags}\n`;
  await writeFile(path, text, { mode: 0o755 });
  return path;
}

const times = { connectTimeoutMs: 3000, commandTimeoutMs: 15_000 };

async function identify(server: Server, credentials: Credentials): Promise<ClusterNode> {
  const connection = await connectNode(server, credentials, times);
  const view = await readNodeView(connection).finally(() => {
    connection.close();
  });
  return { ...server, id: view.self.id, role: view.replication.role };
}

function dialerFor(nodes: readonly ClusterNode[], credentials: Credentials): ClusterDialer {
  return {
    credentials,
    dial: async (nodeId) => {
      const node = nodes.find(({ id }) => id === nodeId);
      if (node === undefined) throw new Error(`no test node has the id ${nodeId}`);
      return await connectNode(node, credentials, times);
    },
  };
}

async function redisCli(
  program: string,
  first: ClusterNode | undefined,
  password: string | undefined,
  args: readonly string[],
): Promise<{ code: number; stdout: string }> {
  const port = args.includes('-p') || args.includes('--cluster') ? [] : ['-p', String(first?.port)];
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string }>();
  const env = {
    ...process.env,
    TERM: 'dumb',
    ...(password === undefined ? {} : { REDISCLI_AUTH: password }),
  };
  execFile(program, [...port, ...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout });
  });
  return await promise;
}
