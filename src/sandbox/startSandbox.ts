import { formatAddress } from '../model/clusterRef.ts';
import { startServers } from './servers.ts';

export interface SandboxOptions {
  readonly redisServer?: string;
  /** A folder of the sandbox's own; removed with it. */
  readonly folder: string;
  readonly masters: number;
  readonly replicasPerMaster: number;
  /** Joins the servers to a cluster, and may fill it: whoever speaks Redis does that, not the sandbox. */
  readonly form: (addresses: readonly string[]) => Promise<void>;
  readonly log?: (line: string) => void;
}

export interface Sandbox {
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/**
 * A real cluster on this machine for trying things out: it listens on 127.0.0.1 only, keeps nothing and ends with
 * the process that started it. Throws UserError, `not-found` where no Redis server is installed.
 */
export async function startSandbox({ form, log, ...options }: SandboxOptions): Promise<Sandbox> {
  const count = options.masters * (1 + options.replicasPerMaster);
  const running = await startServers({ ...options, count });
  const addresses = running.servers.map(formatAddress);
  log?.(`Sandbox: ${count} Redis servers are running at ${addresses.join(', ')}.`);
  try {
    await form(addresses);
  } catch (error) {
    await running.stop();
    throw error;
  }
  log?.('Sandbox: the cluster is ready.');
  return { addresses, stop: () => running.stop() };
}
