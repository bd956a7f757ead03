import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { formatAddress } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import { pause } from '../model/pause.ts';
import type { Engine, Environment } from './findRunner.ts';
import { freePorts, host } from './ports.ts';
import { letGo } from './supervisor.ts';

/** The image that the bundled manifests run, as a test compares; Podman wants the registry's name. */
export const sandboxImage = 'docker.io/library/redis:8.6.3';

/** The first start downloads the image. */
const startLimitMs = 10 * 60_000;
/** The container ends when its input does; one that does not is removed. */
const stopLimitMs = 10_000;
/** Another program may take a port between the look and the start. */
const attempts = 3;

export interface ContainerOptions {
  readonly engine: Engine;
  readonly count: number;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}

interface Containers {
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/**
 * Runs in the container, as its only script: one server for each port of its arguments, until its input ends, which it
 * does however the editor ends. Servers name themselves and meet by 127.0.0.1, which is the container's own there and
 * this machine's, where the same ports are published, for everybody else.
 */
const script = String.raw`
folder=$(mktemp -d) || exit 1
servers=
for port; do
  mkdir "$folder/$port" || exit 1
  redis-server --port "$port" --bind 0.0.0.0 --protected-mode no --dir "$folder/$port" --loglevel warning \
    --cluster-enabled yes --cluster-announce-ip 127.0.0.1 --cluster-node-timeout 5000 \
    --cluster-allow-replica-migration no --repl-diskless-sync-delay 0 --save '' --appendonly no \
    </dev/null >&2 &
  servers="$servers $!"
done
while read -r line; do :; done
kill -s KILL $servers
wait
rm -rf "$folder"
`;

/** The engine's arguments. @param name the container's, by which it is removed where it does not end by itself */
export function runArguments(name: string, ports: readonly number[]): readonly string[] {
  return [
    ...['run', '--rm', '--interactive', '--name', name, '--label', 'kubernetes-redis-cluster=sandbox'],
    ...['--user', 'redis', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...ports.flatMap((port) => ['--publish', `${host}:${port}:${port}`]),
    ...['--entrypoint', 'sh', sandboxImage, '-c', script, 'sh'],
    ...ports.map(String),
  ];
}

/** Starts the servers in one container, which ends with this process. Throws UserError. */
export async function startContainers(options: ContainerOptions): Promise<Containers> {
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(options.count);
    const container = run(options, ports);
    try {
      await ready(container, ports, options);
      return { addresses: ports.map((port) => formatAddress({ host, port })), stop: container.stop };
    } catch (error) {
      await container.stop();
      const isTaken = /port is already allocated|address already in use/i.test(container.said());
      if (!isTaken || attempt === attempts) throw error;
    }
  }
}

interface Container {
  readonly hasEnded: () => boolean;
  /** The last lines of the engine and the servers. */
  readonly said: () => string;
  readonly stop: () => Promise<void>;
}

function run({ engine, environment, log }: ContainerOptions, ports: readonly number[]): Container {
  const name = `redis-cluster-sandbox-${randomBytes(4).toString('hex')}`;
  const env = environment.variables;
  const child = spawn(engine, runArguments(name, ports), {
    stdio: ['pipe', 'ignore', 'pipe'],
    // A Ctrl-C at the terminal reaches it through this process's end only.
    detached: environment.platform !== 'win32',
    windowsHide: true,
    env,
  });
  let ended = false;
  const lines: string[] = [];
  child.once('close', () => (ended = true));
  child.once('error', (error) => {
    ended = true;
    lines.push(error.message);
  });
  child.stdin.on('error', () => undefined);
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    if (lines.length > 5) lines.shift();
    log?.(`Sandbox: ${line}`);
  });
  letGo({ shell: child, pipes: [child.stdin, child.stderr] });
  return {
    hasEnded: () => ended,
    said: () => lines.join('\n'),
    stop: async () => {
      if (ended) return;
      child.ref();
      child.stdin.end();
      if (await endsWithin(child, stopLimitMs)) return;
      spawn(engine, ['rm', '--force', name], { stdio: 'ignore', windowsHide: true, env }).unref();
      child.kill();
    },
  };
}

async function endsWithin(child: ChildProcess, limitMs: number): Promise<boolean> {
  const limit = AbortSignal.timeout(limitMs);
  return await once(child, 'close', { signal: limit }).then(
    () => true,
    () => false,
  );
}

/** Ends when every server answers. Throws a UserError with what the engine said where they do not. */
async function ready(
  container: Container,
  ports: readonly number[],
  { engine, signal }: ContainerOptions,
): Promise<void> {
  const deadline = Date.now() + startLimitMs;
  for (const port of ports) {
    while (!(await answers(port))) {
      signal?.throwIfAborted();
      if (container.hasEnded() || Date.now() > deadline) {
        throw new UserError(
          'failed',
          `The sandbox was not started: ${engine} could not run ${sandboxImage}. It reported:\n${container.said()}`,
        );
      }
      await pause(100);
    }
  }
}

/** An engine accepts connections to published ports before the server behind them does, so the server is asked. */
async function answers(port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    const limit = AbortSignal.timeout(1000);
    await once(socket, 'connect', { signal: limit });
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data', { signal: limit })) as [Buffer];
    return reply.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
