import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import { pause } from '../model/pause.ts';
import { freePort, host } from './ports.ts';
import { startSupervisor, type Supervisor } from './supervisor.ts';

export interface ServerOptions {
  /** The server's program. */
  readonly program: string;
  /** A folder of their own: made if missing, removed when the servers stop. */
  readonly folder: string;
  readonly count: number;
  /** Directives beyond the sandbox's own, or instead of them. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface Server extends Address {
  readonly number: number;
  readonly pid: number;
}

/** Servers in cluster mode that do not know each other yet. */
export interface Servers {
  readonly servers: readonly Server[];
  /** Starts a server again that has ended, with the files and the port it had. */
  restart(number: number): Promise<Server>;
  hasEnded(number: number): boolean;
  stop(): Promise<void>;
}

/** Servers that start at the same time: more of them only wait for each other. */
const mostAtOnce = 12;

/** Starts servers on free ports. They end with this process, whatever ends it. Throws UserError. */
export async function startServers(options: ServerOptions): Promise<Servers> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const supervisor = startSupervisor(options.program, options.folder);
  try {
    const servers: Server[] = [];
    while (servers.length < options.count) {
      const numbers = Array.from({ length: options.count }, (_, number) => number);
      const next = numbers.slice(servers.length, servers.length + mostAtOnce);
      servers.push(
        ...(await Promise.all(next.map((number) => startOnFreePort(supervisor, options, number)))),
      );
    }
    return {
      servers,
      restart: async (number) => {
        const port = servers[number]?.port;
        if (port === undefined) throw new RangeError(`there is no server ${number}`);
        return await start(supervisor, options.folder, number, port);
      },
      hasEnded: (number) => supervisor.hasEnded(number),
      stop: () => supervisor.stop(),
    };
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

/** Another program may take the port between the look and the start; then the next one is tried. */
async function startOnFreePort(
  supervisor: Supervisor,
  { folder, config = {} }: ServerOptions,
  number: number,
): Promise<Server> {
  const own = join(folder, String(number));
  await mkdir(own, { mode: 0o700 });
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await writeFile(join(own, 'redis.conf'), configText({ ...defaults(own, port), ...config }), {
      mode: 0o600,
    });
    try {
      return await start(supervisor, folder, number, port);
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function start(supervisor: Supervisor, folder: string, number: number, port: number): Promise<Server> {
  const log = join(folder, String(number), 'log');
  await writeFile(log, '');
  const pid = await supervisor.start(number);
  const deadline = Date.now() + 20_000;
  for (;;) {
    const text = await readFile(log, 'utf8');
    if (text.includes('Ready to accept connections')) return { number, pid, host, port };
    if (supervisor.hasEnded(number) || Date.now() > deadline) {
      const lines = text.trim().split('\n').slice(-3).join('\n');
      throw new UserError(
        'failed',
        `A Redis server on ${host}:${port} did not start. Its log ends with:\n${lines}`,
      );
    }
    await pause(20);
  }
}

function defaults(folder: string, port: number): Record<string, string> {
  return {
    port: String(port),
    bind: host,
    dir: folder,
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': '5000',
    'cluster-allow-replica-migration': 'no',
    'repl-diskless-sync-delay': '0',
    save: '',
    appendonly: 'no',
    daemonize: 'no',
  };
}

function configText(directives: Readonly<Record<string, string>>): string {
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}\n`)
    .join('');
}
