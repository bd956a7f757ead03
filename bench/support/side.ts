import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { keySlot } from '../../src/model/keySlot.ts';
import type { Plan } from '../../src/model/plan.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/runPlan.ts';
import type { ClusterDialer, NodeConnection } from '../../src/redis/nodeConnection.ts';
import { fill, type Write } from '../../test/redis/fill.ts';
import { readSnapshot } from '../../test/redis/readSnapshot.ts';
import { runPorts } from '../../test/redis/runPorts.ts';
import type { TestCluster } from '../../test/support/startRedisCluster.ts';
import type { Waits } from './otherClient.ts';

/** One way to do the work, between these two masters where it has ends; reading and checking is part of it. */
export type Way = (from: string, to: string) => Promise<void>;

export interface Measured {
  readonly seconds: number;
  /** Processor time of all servers, and of this process where the way runs in it. */
  readonly cpuMs: number;
  readonly waits?: Waits;
}

export const valueBytes = 100;

/** So many keys of 100 bytes, all in the lowest slots: those that are moved. */
export async function fillLowest(cluster: TestCluster, slots: number, keys: number): Promise<void> {
  function* writes(): Generator<Write> {
    const value = Buffer.alloc(valueBytes, 'x');
    for (let number = 0, written = 0; written < keys; number++) {
      const key = Buffer.from(`key:${number}`);
      if (keySlot(key) >= slots) continue;
      written++;
      yield ['SET', key, value];
    }
  }
  await fill(cluster, writes());
}

/** Our reshard of the lowest slots, as the command runs it. */
export function ours(cluster: TestCluster, slots: number, pace: 'gentle' | 'fast'): Way {
  const shown = { ...cluster, dialer: keeping(cluster.dialer) };
  return async (from, to) => {
    const readKept = (): ReturnType<typeof readSnapshot> => readSnapshot(shown);
    const plan = planReshard(await readKept(), { from: [from], to, slots });
    const result = await runPlan(at(plan, pace), runPorts(cluster, { readSnapshot: readKept }));
    if (result.movedSlots !== slots) throw new Error(`${result.movedSlots} slots were moved`);
  };
}

/** The editor reads over the connections that it keeps while it shows a cluster. */
function keeping(dialer: ClusterDialer): ClusterDialer {
  const kept = new Map<string, Promise<NodeConnection>>();
  return {
    credentials: dialer.credentials,
    dial: async (id) => {
      const connection = kept.get(id) ?? dialer.dial(id);
      kept.set(id, connection);
      return { ...(await connection), close: () => undefined };
    },
  };
}

/** The same plan, at this pace. */
function at(plan: Plan, pace: 'gentle' | 'fast'): Plan {
  const steps = plan.steps.map((step) => (step.kind === 'moveSlots' ? { ...step, pace } : step));
  return { ...plan, steps };
}

/** The reshard of the servers' own redis-cli. */
export function redisCli(
  cluster: TestCluster,
  slots: number,
  pipeline: number,
  ...options: readonly string[]
): Way {
  return async (from, to) => {
    const { code, stdout } = await cluster.cli(
      ...['--cluster', 'reshard', cluster.addresses[0] ?? '', '--cluster-yes', ...options],
      ...['--cluster-from', from, '--cluster-to', to],
      ...['--cluster-slots', String(slots), '--cluster-pipeline', String(pipeline)],
    );
    if (code !== 0) throw new Error(`redis-cli ended with ${code}: ${stdout.slice(-500)}`);
  };
}

/** redis-cli refuses while the nodes do not agree yet on what the run before has moved. */
export async function settle(cluster: TestCluster): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { code } = await cluster.cli('--cluster', 'check', cluster.addresses[0] ?? '');
    if (code === 0) return;
  }
  throw new Error('the nodes do not come to agree');
}

/**
 * Runs the ways in turn, to and fro between the first two masters, so that both do the same work under the same
 * conditions; where `watch` is set, another client measures how long the source lets it wait.
 */
export async function alternate<Name extends string>(
  cluster: TestCluster,
  ways: Readonly<Record<Name, Way>>,
  { runs, watch = false }: { readonly runs: number; readonly watch?: boolean },
): Promise<Record<Name, Measured>> {
  const [one, other] = cluster.nodes;
  if (one === undefined || other === undefined) throw new Error('a cluster has two masters at least');
  const clients = watch ? new Map([one, other].map((node) => [node.id, startOtherClient(node)])) : undefined;
  let [from, to] = [one.id, other.id];
  const measured = new Map<string, Measured[]>();
  try {
    for (let run = 1; run <= runs; run++) {
      for (const [name, way] of Object.entries<Way>(ways)) {
        await settle(cluster);
        const result = await measure(cluster, () => way(from, to), clients?.get(from));
        console.log(`run ${run}: ${name} ${text(result)}`);
        measured.set(name, [...(measured.get(name) ?? []), result]);
        [from, to] = [to, from];
      }
    }
  } finally {
    for (const client of clients?.values() ?? []) client.stop();
  }
  return Object.fromEntries([...measured].map(([name, results]) => [name, medians(results)])) as Record<
    Name,
    Measured
  >;
}

async function measure(
  cluster: TestCluster,
  work: () => Promise<void>,
  client: OtherClient | undefined,
): Promise<Measured> {
  await client?.waits();
  const before = await cpuOf(cluster);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const waits = await client?.waits();
  const cpuMs = (await cpuOf(cluster)) - before;
  return { seconds, cpuMs, ...(waits === undefined ? {} : { waits }) };
}

function text({ seconds, cpuMs, waits }: Measured): string {
  const other =
    waits === undefined
      ? ''
      : `; another client waited ${waits.p99.toFixed(1)} ms (p99), ${waits.longest.toFixed(1)} ms at most`;
  return `${seconds.toFixed(3)} s, ${Math.round(cpuMs)} ms of processor${other}`;
}

function medians(results: readonly Measured[]): Measured {
  const waits = results.flatMap((result) => (result.waits === undefined ? [] : [result.waits]));
  const of = (figure: keyof Waits): number => median(waits.map((one) => one[figure]));
  return {
    seconds: median(results.map(({ seconds }) => seconds)),
    cpuMs: median(results.map(({ cpuMs }) => cpuMs)),
    ...(waits.length === 0
      ? {}
      : {
          waits: {
            count: of('count'),
            median: of('median'),
            p99: of('p99'),
            // The worst of all runs: a stall is what must never happen.
            longest: Math.max(...waits.map(({ longest }) => longest)),
          },
        }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Processor time that this process and the servers have used so far; milliseconds. */
export async function cpuOf({ nodes, dialer }: TestCluster): Promise<number> {
  const own = process.cpuUsage();
  const servers = await Promise.all(
    nodes.map(async ({ id }) => {
      const connection = await dialer.dial(id);
      const info = String(await connection.call('INFO', 'cpu'));
      connection.close();
      const field = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? 0);
      return (
        field('used_cpu_sys') +
        field('used_cpu_user') +
        field('used_cpu_sys_children') +
        field('used_cpu_user_children')
      );
    }),
  );
  return (own.user + own.system) / 1000 + servers.reduce((sum, seconds) => sum + seconds * 1000, 0);
}

interface OtherClient {
  /** What it has waited since it was asked last. */
  waits(): Promise<Waits>;
  stop(): void;
}

function startOtherClient({ host, port }: { readonly host: string; readonly port: number }): OtherClient {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'otherClient.ts'), host, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    waits: async () => {
      child.stdin.write('\n');
      return JSON.parse(String((await lines.next()).value)) as Waits;
    },
    stop: () => {
      child.stdin.end();
    },
  };
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The last line of a benchmark. */
export function conclude(figures: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify({ ...figures, cores: availableParallelism() }));
}
