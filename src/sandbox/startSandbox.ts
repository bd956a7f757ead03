import { formatAddress } from '../model/clusterRef.ts';
import { sandboxImage, startContainers } from './containers.ts';
import { findRunner, thisMachine, type Environment } from './findRunner.ts';
import { startServers } from './servers.ts';

export interface SandboxOptions {
  /** The server's program; without it what is installed: redis-server, valkey-server, Docker or Podman. */
  readonly redisServer?: string;
  /** A folder of the sandbox's own: made where servers need it, removed with them. */
  readonly folder: string;
  readonly masters: number;
  readonly replicasPerMaster: number;
  /** Joins the servers to a cluster, and may fill it: whoever speaks Redis does that, not the sandbox. */
  readonly form: (addresses: readonly string[]) => Promise<void>;
  readonly log?: (line: string) => void;
  /** Aborting it gives up, and leaves nothing running. */
  readonly signal?: AbortSignal;
  readonly environment?: Environment;
}

export interface Sandbox {
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/**
 * A real cluster on this machine for trying things out: it listens on 127.0.0.1 only, keeps nothing and ends with
 * the process that started it. Throws UserError, `not-found` where nothing is installed that could run it.
 */
export async function startSandbox({ form, log, ...options }: SandboxOptions): Promise<Sandbox> {
  const count = options.masters * (1 + options.replicasPerMaster);
  const running = await start(count, { ...options, ...(log === undefined ? {} : { log }) });
  const { addresses } = running;
  log?.(`Sandbox: ${count} Redis servers are running at ${addresses.join(', ')}.`);
  try {
    await form(addresses);
    options.signal?.throwIfAborted();
  } catch (error) {
    await running.stop();
    throw error;
  }
  log?.('Sandbox: the cluster is ready.');
  return running;
}

async function start(count: number, options: Omit<SandboxOptions, 'form'>): Promise<Sandbox> {
  const { redisServer, folder, log, signal, environment = thisMachine } = options;
  const runner = await findRunner(redisServer, environment);
  if ('program' in runner) {
    const running = await startServers({ program: runner.program, folder, count });
    return { addresses: running.servers.map(formatAddress), stop: () => running.stop() };
  }
  log?.(`Sandbox: starting a container of ${sandboxImage} with ${runner.engine}.`);
  return await startContainers({
    engine: runner.engine,
    count,
    environment,
    ...(signal === undefined ? {} : { signal }),
    ...(log === undefined ? {} : { log }),
  });
}
