import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { keySlot } from '../../src/model/keySlot.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import type { ClusterDialer, NodeConnection } from '../../src/redis/nodeConnection.ts';
import { fill, type Write } from '../../test/support/redis/fill.ts';
import { readSnapshot } from '../../test/support/redis/readSnapshot.ts';
import { runPorts } from '../../test/support/redis/runPorts.ts';
import type { TestCluster } from '../../test/support/startRedisCluster.ts';
import { medianLoad, startLoad, type Load, type Measurable } from './load.ts';
import { median } from './numbers.ts';
import type { Waits } from './otherClient.ts';
import { Requests } from './requests.ts';

/** A cluster whose servers can be asked and that its own redis-cli can change. */
export interface BenchCluster extends Measurable {
  /** The first two are the masters between which slots move. */
  readonly nodes: readonly { readonly id: string; readonly host: string; readonly port: number }[];
  readonly addresses: readonly string[];
  cli(...args: readonly string[]): Promise<{ code: number; stdout: string }>;
}

/** One way to do the work, between these two masters; reading and checking is part of it. Says what it asked, if it is ours. */
export type Way = (from: string, to: string) => Promise<Requests | undefined>;

export interface Measured {
  readonly seconds: number;
  /** Processor time of all servers, and of this process where the way runs in it. */
  readonly cpuMs: number;
  readonly load: Load;
  readonly waits?: Waits;
}

export const valueBytes = 100;

/** So many keys of 100 bytes, all in the lowest slots: those that are moved. */
export async function fillLowest(cluster: Measurable, slots: number, keys: number): Promise<void> {
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
  return oursOver(runPorts(cluster, { readSnapshot: () => readSnapshot(shown) }), slots, pace);
}

/** The same where a cluster is read and reached in another way. */
export function oursOver(ports: RunPorts, slots: number, pace: 'gentle' | 'fast'): Way {
  return async (from, to) => {
    const requests = new Requests();
    const plan = planReshard(await ports.readSnapshot(), { from: [from], to, slots });
    const result = await runPlan(at(plan, pace), { ...ports, dialer: requests.over(ports.dialer) });
    if (result.movedSlots !== slots) throw new Error(`${result.movedSlots} slots were moved`);
    return requests;
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
  cluster: BenchCluster,
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
    return undefined;
  };
}

/** redis-cli refuses while the nodes do not agree yet on what the run before has moved. */
export async function settle(cluster: BenchCluster): Promise<void> {
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
  cluster: BenchCluster,
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
  cluster: BenchCluster,
  work: () => ReturnType<Way>,
  client: OtherClient | undefined,
): Promise<Measured> {
  await client?.waits();
  const end = await startLoad(cluster);
  const load = await end(await work());
  const waits = await client?.waits();
  const cpuMs = load.serverCpuMs + load.ownCpuMs;
  return { seconds: load.seconds, cpuMs, load, ...(waits === undefined ? {} : { waits }) };
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
    load: medianLoad(results.map(({ load }) => load)),
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

interface OtherClient {
  /** What it has waited since it was asked last. */
  waits(): Promise<Waits>;
  stop(): void;
}

/** A client of a server that tells how long it waited since it was asked last. */
export function startOtherClient({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): OtherClient {
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
