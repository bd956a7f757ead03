import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mountCertificates, mountPassword, type PasswordSecret, type TlsSecret } from './mountedSecrets.ts';
import { type OwnView, ownViewOf } from './ownView.ts';
import { end, type Net, findNet, run } from './processes.ts';

const manifests = fileURLToPath(new URL('../../../manifests', import.meta.url));
const configuration = join(manifests, 'base', 'redis.conf');
const set = 'redis-cluster';

/** The StatefulSet's pods as processes: the manifests' own scripts with an address, a volume and a name each. */
export interface SimulatedPods {
  /** Starts a pod's server and its agent; at another address or on a named worker if one is given. */
  readonly start: (ordinal: number, address?: number, worker?: string) => Promise<void>;
  /** Kills a pod's processes as a lost worker would; its volume stays. */
  readonly kill: (ordinal: number) => Promise<void>;
  /** Ends a pod as Kubernetes does: preStop, then SIGTERM. */
  readonly stop: (ordinal: number) => Promise<void>;
  readonly loseVolume: (ordinal: number) => Promise<void>;
  /** One redis-cli call on a pod's server; commands on stdin where no arguments are given. */
  readonly ask: (ordinal: number, args: readonly string[], stdin?: string) => Promise<string>;
  readonly askWith: (password: string, ordinal: number, args: readonly string[]) => Promise<string>;
  /** Where the servers of the running pods are reached. */
  readonly addresses: () => readonly { readonly host: string; readonly port: number }[];
  readonly askWithoutPassword: (ordinal: number, args: readonly string[]) => Promise<string>;
  /** Ordinals of the running pods. */
  readonly ordinals: () => readonly number[];
  readonly ownViews: () => Promise<readonly OwnView[]>;
  /** Waits until every running pod passes its readiness probe; resolves to the seconds that took. */
  readonly allReady: (seconds: number) => Promise<number>;
  readonly isReady: (ordinal: number) => Promise<boolean>;
  /** Whether one of the manifests' probe scripts is content with a pod. */
  readonly probe: (ordinal: number, script: string) => Promise<boolean>;
  /** Changes the Secret; running pods see it when their mount is refreshed. */
  readonly setSecret: (secret: PasswordSecret) => void;
  readonly refreshSecret: (ordinal: number) => Promise<void>;
  /** Refreshes a pod's mount of the Secret for TLS. */
  readonly refreshTls: (ordinal: number, tls: TlsSecret) => Promise<void>;
  /** Opens a connection of that name on every running pod's server; resolves to what closes them. */
  readonly connectAs: (name: string) => Promise<() => void>;
  readonly deleteDataset: (ordinal: number) => Promise<void>;
  /** What a pod's agent and its preStop wrote, over all its starts. */
  readonly agentLog: (ordinal: number) => string;
  /** What a pod's server and its start script wrote, over all its starts. */
  readonly serverLog: (ordinal: number) => string;
  readonly folder: (ordinal: number) => string;
  /** Process ids of the running agents. */
  readonly agents: () => readonly number[];
  readonly net: Net;
  readonly dispose: () => Promise<void>;
}

interface Pod {
  readonly name: string;
  readonly folder: string;
  readonly address: string;
  readonly env: NodeJS.ProcessEnv;
  readonly processes: readonly ChildProcess[];
}

export interface SimulatedPodsOptions {
  readonly tls?: TlsSecret;
  readonly password?: string;
  readonly namespace?: string;
  /** Another cluster's, to get its addresses. */
  readonly net?: Net;
  /** The programs that scripts find, in place of this process's. */
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Lines after the manifests' own redis.conf. */
  readonly configuration?: () => string;
  /** Milliseconds until a change of addresses is known to the name server. */
  readonly nameDelay?: () => number;
}

/** Every pod has an address of its own in 127.0.0.0/8 and the same port, as in Kubernetes. */
export async function simulatePods(options: SimulatedPodsOptions = {}): Promise<SimulatedPods> {
  const root = await mkdtemp(join(tmpdir(), 'redis-pods-'));
  const net = options.net ?? (await findNet());
  const { network, port, bus } = net;
  const path = options.path ?? process.env['PATH'] ?? '';
  const names = join(root, 'names');
  const resolver = join(root, 'resolve');
  await writeFile(resolver, `#!/bin/sh\nawk -v n="$1" '$1 == n { print $2 }' '${names}'\n`);
  await chmod(resolver, 0o755);
  const pods = new Map<number, Pod>();
  const logs = new Map<number, string>();
  const serverLogs = new Map<number, string>();
  const started = new Set<number>();
  let certificates = options.tls;
  let secret: PasswordSecret | undefined =
    options.password === undefined ? undefined : { password: options.password };
  const note = (where: Map<number, string>, ordinal: number) => (text: string) => {
    where.set(ordinal, (where.get(ordinal) ?? '') + text);
  };

  async function writeNames(): Promise<void> {
    const lines = [...pods.values()].flatMap((pod) => [
      `${set} ${pod.address}`,
      `${pod.name}.${set} ${pod.address}`,
    ]);
    await writeFile(names, `${lines.join('\n')}\n`);
  }

  async function publishNames(): Promise<void> {
    const delay = options.nameDelay?.() ?? 0;
    if (delay === 0) await writeNames();
    else setTimeout(() => void writeNames().catch(() => undefined), delay).unref();
  }

  function pod(ordinal: number): Pod {
    const found = pods.get(ordinal);
    if (found === undefined) throw new Error(`pod ${String(ordinal)} is not running`);
    return found;
  }

  function spawnScript(script: string, env: NodeJS.ProcessEnv, onText: (text: string) => void): ChildProcess {
    const child = spawn('sh', [join(manifests, 'scripts', script)], { env, detached: true });
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    return child;
  }

  async function start(ordinal: number, addressNumber = ordinal + 1, worker?: string): Promise<void> {
    const name = `${set}-${String(ordinal)}`;
    const folder = join(root, name);
    const address = `${network}.${String(addressNumber)}`;
    await mkdir(join(folder, 'data'), { recursive: true });
    await mkdir(join(folder, 'run'), { recursive: true });
    const config = join(folder, 'redis.conf');
    const lines = [
      await readFile(configuration, 'utf8'),
      `port ${String(port)}`,
      `cluster-port ${String(bus)}`,
      `bind ${address}`,
      `bind-source-addr ${address}`,
      options.configuration?.() ?? '',
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const env: NodeJS.ProcessEnv = {
      PATH: path,
      POD_NAME: name,
      POD_NAMESPACE: options.namespace ?? 'simulated',
      POD_IP: address,
      LOCAL: address,
      PORT: String(port),
      BUS: String(bus),
      MASTERS: '3',
      REPLICAS: '1',
      CONFIG: config,
      DATA: join(folder, 'data'),
      RUN: join(folder, 'run'),
      SCRATCH: join(folder, 'run'),
      RESOLVE: resolver,
      AUTH: join(folder, 'auth'),
      PASSWORD_REQUIRED: options.password === undefined ? 'no' : 'yes',
      CERTIFICATES: join(folder, 'tls'),
      TLS: options.tls === undefined ? 'no' : 'yes',
      TERMINATION_LOG: join(folder, 'termination-log'),
      ...(worker === undefined ? {} : { WORKER: worker }),
      ...options.env,
    };
    await mountPassword(folder, secret);
    if (certificates !== undefined) await mountCertificates(folder, certificates);
    const server = spawnScript('start.sh', env, note(serverLogs, ordinal));
    const agent = spawnScript('agent.sh', env, note(logs, ordinal));
    pods.set(ordinal, { name, folder, address, env, processes: [server, agent] });
    await publishNames();
  }

  async function endPod(ordinal: number, signal: NodeJS.Signals): Promise<void> {
    const ending = pod(ordinal);
    started.delete(ordinal);
    await Promise.all(ending.processes.map((child) => end(child, signal)));
    pods.delete(ordinal);
    await publishNames();
  }

  async function redisCli(
    ordinal: number,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    stdin?: string,
  ): Promise<string> {
    const tls = certificates === undefined ? [] : ['--tls', '--insecure'];
    const target = ['-h', pod(ordinal).address, '-p', String(port), ...tls];
    return (await run('redis-cli', [...target, ...args], env, stdin)).stdout;
  }

  function ask(ordinal: number, args: readonly string[], stdin?: string): Promise<string> {
    const auth = secret === undefined ? {} : { REDISCLI_AUTH: secret.password };
    return redisCli(ordinal, args, { ...pod(ordinal).env, ...auth }, stdin);
  }

  async function ownView(ordinal: number): Promise<OwnView> {
    return ownViewOf(ordinal, await ask(ordinal, ['CLUSTER', 'NODES']));
  }

  async function probe(ordinal: number, script: string): Promise<boolean> {
    return (await run('sh', [join(manifests, 'scripts', script)], pod(ordinal).env)).code === 0;
  }

  /** As kubelet asks: the readiness probe once the startup probe was content. */
  async function isReady(ordinal: number): Promise<boolean> {
    if (!started.has(ordinal)) {
      if (!(await probe(ordinal, 'started.sh'))) return false;
      started.add(ordinal);
    }
    return probe(ordinal, 'ready.sh');
  }

  const ordinals = (): readonly number[] => [...pods.keys()].sort((a, b) => a - b);

  async function allReady(seconds: number): Promise<number> {
    const begun = performance.now();
    for (;;) {
      const ready = await Promise.all([...pods.keys()].map(isReady));
      const taken = (performance.now() - begun) / 1000;
      if (ready.every(Boolean)) return taken;
      if (taken > seconds) {
        const story = [...pods.keys()]
          .map((ordinal) => (logs.get(ordinal) ?? '') + (serverLogs.get(ordinal) ?? '').slice(-600))
          .join('');
        throw new Error(`not ready after ${String(seconds)} s: ${JSON.stringify(ready)}\n${story}`);
      }
      await sleep(100);
    }
  }

  return {
    start,
    kill: (ordinal) => endPod(ordinal, 'SIGKILL'),
    stop: async (ordinal) => {
      const log = join(pod(ordinal).folder, 'prestop.log');
      const env = { ...pod(ordinal).env, LOG: log };
      await run('sh', [join(manifests, 'scripts', 'prestop.sh')], env);
      note(logs, ordinal)(await readFile(log, 'utf8').catch(() => ''));
      await endPod(ordinal, 'SIGTERM');
    },
    loseVolume: (ordinal) => rm(join(root, `${set}-${String(ordinal)}`, 'data'), { recursive: true }),
    ask,
    askWith: (password, ordinal, args) =>
      redisCli(ordinal, args, { PATH: process.env['PATH'], REDISCLI_AUTH: password }),
    addresses: () => [...pods.values()].map(({ address }) => ({ host: address, port })),
    askWithoutPassword: (ordinal, args) => redisCli(ordinal, args, { PATH: process.env['PATH'] }),
    ordinals,
    ownViews: () => Promise.all(ordinals().map(ownView)),
    allReady,
    isReady,
    probe,
    setSecret: (changed) => {
      secret = changed;
    },
    refreshTls: (ordinal, tls) => {
      certificates = tls;
      return mountCertificates(pod(ordinal).folder, tls);
    },
    refreshSecret: (ordinal) => mountPassword(pod(ordinal).folder, secret),
    connectAs: async (name) => {
      const sockets = [...pods.values()].map(({ address }) => connect(port, address));
      await Promise.all(
        sockets.map(async (socket) => {
          socket.write(`CLIENT SETNAME ${name}\r\n`);
          await once(socket, 'data');
        }),
      );
      return () => {
        for (const socket of sockets) socket.destroy();
      };
    },
    deleteDataset: (ordinal) =>
      rm(join(root, `${set}-${String(ordinal)}`, 'data', 'appendonlydir'), { recursive: true }),
    agentLog: (ordinal) => logs.get(ordinal) ?? '',
    serverLog: (ordinal) => serverLogs.get(ordinal) ?? '',
    folder: (ordinal) => join(root, `${set}-${String(ordinal)}`),
    agents: () => [...pods.values()].flatMap(({ processes: [, agent] }) => agent?.pid ?? []),
    net,
    dispose: async () => {
      await Promise.all([...pods.keys()].map((ordinal) => endPod(ordinal, 'SIGKILL')));
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
