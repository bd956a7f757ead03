import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { median } from './numbers.ts';
import type { Requests } from './requests.ts';

/** How long a piece of work took and what was busy meanwhile: where its limit lies. Milliseconds, but for `seconds`. */
export interface Load {
  readonly seconds: number;
  /** Product and version of the servers. */
  readonly server: string;
  /** Processor time of all servers. */
  readonly serverCpuMs: number;
  /** How long the one thread of the busiest server computed or ran commands: in MIGRATE it also waits for the target. */
  readonly busiestServerMs: number;
  /** The longest that one server spent in MIGRATE, and one in RESTORE: that much no client can spare it. */
  readonly migrateMs: number;
  readonly restoreMs: number;
  /** Processor time of this process, and of its one thread that runs JavaScript. */
  readonly ownCpuMs: number;
  readonly ownThreadMs: number;
  /** Time for which the machine's processors were busy, whoever was, and how many they are. */
  readonly machineMs: number;
  readonly cores: number;
  /** What one request takes on a server that has nothing to do, and how many there were, and one after another. */
  readonly pingMs: number;
  readonly requests: number;
  readonly longestChain: number;
}

/** What a benchmark asks of a cluster to see its load. */
export interface Measurable {
  readonly nodes: readonly { readonly id: string }[];
  readonly dialer: ClusterDialer;
}

/** What one server has used so far; milliseconds. */
interface ServerUse {
  readonly cpuMs: number;
  readonly threadMs: number;
  readonly commandsMs: number;
  readonly migrateMs: number;
  readonly restoreMs: number;
}

const closingMs = 300;

/** Begins to measure; the function that is returned ends it. Asking the servers is not part of the time. */
export async function startLoad(cluster: Measurable): Promise<(requests?: Requests) => Promise<Load>> {
  const { pingMs, server } = await firstPing(cluster);
  const servers = await readServers(cluster);
  // The connections by which they were asked are still being closed at both ends.
  await sleep(closingMs);
  const machine = machineMs();
  const own = process.cpuUsage();
  const thread = process.threadCpuUsage();
  const start = performance.now();
  return async (requests) => {
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(own);
    const ownThread = process.threadCpuUsage(thread);
    const machineAfter = machineMs();
    const after = await readServers(cluster);
    const used = after.map((use, index) => difference(use, servers[index]));
    const most = (of: (use: ServerUse) => number): number => Math.max(...used.map(of));
    return {
      ...{ seconds, server, pingMs },
      serverCpuMs: used.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      busiestServerMs: most(({ threadMs, commandsMs }) => Math.max(threadMs, commandsMs)),
      migrateMs: most((use) => use.migrateMs),
      restoreMs: most((use) => use.restoreMs),
      ownCpuMs: (user + system) / 1000,
      ownThreadMs: (ownThread.user + ownThread.system) / 1000,
      machineMs: machineAfter - machine,
      cores: cpus().length,
      requests: requests?.count ?? 0,
      longestChain: requests?.longestChain ?? 0,
    };
  };
}

/** The median of each figure. */
export function medianLoad(loads: readonly Load[]): Load {
  const [first] = loads;
  if (first === undefined) throw new Error('nothing was measured');
  const of = ([name, value]: [string, unknown]): [string, unknown] =>
    typeof value === 'number'
      ? [name, Number(median(loads.map((load) => Number(load[name as keyof Load]))).toPrecision(5))]
      : [name, value];
  return Object.fromEntries(Object.entries(first).map(of)) as unknown as Load;
}

async function firstPing({ nodes, dialer }: Measurable): Promise<{ pingMs: number; server: string }> {
  const connection = await dialer.dial(nodes[0]?.id ?? '');
  const times: number[] = [];
  for (let turn = 0; turn < 11; turn++) {
    const start = performance.now();
    await connection.call('PING');
    times.push(performance.now() - start);
  }
  const info = String(await connection.call('INFO', 'server'));
  connection.close();
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  const redis = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '';
  return { pingMs: median(times), server: valkey === undefined ? `Redis ${redis}` : `Valkey ${valkey}` };
}

async function readServers({ nodes, dialer }: Measurable): Promise<readonly ServerUse[]> {
  return await Promise.all(
    nodes.map(async ({ id }) => {
      const connection = await dialer.dial(id);
      const infos = await connection.pipeline([
        ['INFO', 'cpu'],
        ['INFO', 'commandstats'],
      ]);
      connection.close();
      return serverUse(infos.map(String).join('\n'));
    }),
  );
}

function serverUse(info: string): ServerUse {
  const sum = (pattern: RegExp): number =>
    [...info.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
  return {
    cpuMs: sum(/^used_cpu_(?:sys|user)(?:_children)?:([\d.]+)/gm) * 1000,
    threadMs: sum(/^used_cpu_(?:sys|user)_main_thread:([\d.]+)/gm) * 1000,
    commandsMs: sum(/^cmdstat_[^:]+:calls=\d+,usec=(\d+)/gm) / 1000,
    migrateMs: sum(/^cmdstat_migrate:calls=\d+,usec=(\d+)/gm) / 1000,
    restoreMs: sum(/^cmdstat_restore(?:-asking)?:calls=\d+,usec=(\d+)/gm) / 1000,
  };
}

function difference(after: ServerUse, before: ServerUse | undefined): ServerUse {
  const of = (figure: keyof ServerUse): number => after[figure] - (before?.[figure] ?? 0);
  return {
    cpuMs: of('cpuMs'),
    threadMs: of('threadMs'),
    commandsMs: of('commandsMs'),
    migrateMs: of('migrateMs'),
    restoreMs: of('restoreMs'),
  };
}

/** Time all processors were busy since the machine started, summed. */
function machineMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
