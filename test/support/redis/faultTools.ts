import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../../src/model/clusterRef.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { formatSlots } from '../../../src/model/slots.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { PlanResult } from '../../../src/operations/run/planResult.ts';
import { runPlan, type RunPorts, type StepObserver } from '../../../src/operations/run/runPlan.ts';
import { myId } from '../../../src/redis/admin.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import * as redis from '../../../src/redis/entry.ts';
import type { Argument, ClusterDialer, NodeConnection } from '../../../src/redis/nodeConnection.ts';
import type { TestCluster } from '../startRedisCluster.ts';
import { faultyDialer } from './faultyDialer.ts';
import type { PlanRequest } from './planProcess.ts';
import { readAnyway } from './readAnyway.ts';

/** A server by the id it has now; a reset gives it another one. */
export type Server = Address & { readonly id: string };

/** Where the tool dies: when a step begins or has ended, or before the n-th command that changes something. */
export interface Boundary {
  readonly begun?: number;
  readonly ended?: number;
  readonly command?: number;
}

const times = { connectTimeoutMs: 3000, commandTimeoutMs: 15_000 };

export function dialerTo(servers: readonly Server[]): ClusterDialer {
  return {
    credentials: {},
    dial: async (id) => {
      const server = servers.find((candidate) => candidate.id === id);
      if (server === undefined) throw new Error(`no server has the id ${id}`);
      return await connectNode(server, {}, times);
    },
  };
}

/** A running cluster by the ids that its servers have now. */
export interface Present {
  readonly addresses: readonly string[];
  readonly nodes: readonly Server[];
  readonly dialer: ClusterDialer;
}

/** Asks every server for the id it has now. */
export async function present({
  addresses,
  nodes,
}: Pick<Present, 'addresses'> & { readonly nodes: readonly Address[] }): Promise<Present> {
  const servers = await Promise.all(
    nodes.map(async ({ host, port }): Promise<Server> => {
      const connection = await connectNode({ host, port }, {}, times);
      const id = await myId(connection).finally(() => {
        connection.close();
      });
      return { host, port, id };
    }),
  );
  return { addresses, nodes: servers, dialer: dialerTo(servers) };
}

/** Whether a command changes the cluster; the others leave nothing behind when they are cut off. */
export function changes([verb, sub]: readonly Argument[]): boolean {
  if (verb === 'MIGRATE' || verb === 'FLUSHALL') return true;
  if ((verb === 'CONFIG' && sub === 'SET') || (verb === 'FUNCTION' && sub === 'RESTORE')) return true;
  return (
    verb === 'CLUSTER' && /^(?:BUMPEPOCH|SETSLOT|REPLICATE|FAILOVER|FORGET|RESET|MEET)$/.test(String(sub))
  );
}

export function portsTo(cluster: Present, dialer: ClusterDialer = cluster.dialer): RunPorts {
  return {
    dialer,
    redis,
    readSnapshot: () => readAnyway(cluster),
    report: () => undefined,
    signal: new AbortController().signal,
    now: () => performance.now(),
    delay: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
  };
}

export async function run(
  cluster: Present,
  plan: Plan,
  dialer?: ClusterDialer,
  observer?: StepObserver,
): Promise<PlanResult> {
  return await runPlan(plan, {
    ...portsTo(cluster, dialer),
    ...(observer === undefined ? {} : { observer }),
  });
}

/** Runs what a person would ask for, again while servers settle; nothing where there is nothing to do. */
export async function runUnlessDone(cluster: Present, plan: () => Promise<Plan>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run(cluster, await plan());
      return;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.reason === 'nothing-to-do') return;
      if (attempt === 8) throw error;
      await sleep(1000);
    }
  }
}

/** Reads until the cluster looks as wanted; elections and copies take their time on a busy machine. */
export async function untilSo(
  cluster: Present,
  what: string,
  isSo: (snapshot: ClusterSnapshot) => boolean,
): Promise<ClusterSnapshot> {
  const end = performance.now() + 90_000;
  for (;;) {
    const snapshot = await readAnyway(cluster);
    if (isSo(snapshot)) return snapshot;
    if (performance.now() > end) throw new Error(`${what} did not come within 90 s:\n${sketch(snapshot)}`);
    await sleep(100);
  }
}

/** A line for each node: what it says of itself. */
function sketch({ nodes }: ClusterSnapshot): string {
  const lines = nodes.map(({ id, masterId, view }) => {
    if (view === undefined) return `${id} does not answer`;
    const { self, replication, others } = view;
    const lost = others.filter(({ flags }) => flags.includes('fail')).map((one) => one.id);
    return `${id} ${replication.role} of ${masterId ?? '-'} link ${String(replication.linkUp)} epoch ${self.configEpoch} slots ${formatSlots(self.slots)} fail ${lost.join()}`;
  });
  return lines.join('\n');
}

/** The same plan without regard for clients, for what a test only needs to be done. */
export function hurried(plan: Plan): Plan {
  const steps = plan.steps.map((step) =>
    step.kind === 'moveSlots' ? { ...step, pace: 'fast' as const } : step,
  );
  return { ...plan, steps };
}

/** Runs a plan undisturbed and counts the commands that change something. */
export async function countCommands(cluster: Present, plan: Plan): Promise<number> {
  let count = 0;
  const counting = faultyDialer(cluster.dialer, (_, command) => {
    if (changes(command)) count++;
    return undefined;
  });
  await run(cluster, plan, counting);
  return count;
}

/**
 * Every step's beginning, the end of the last one, and some of the commands between, evenly spread. Where a step ends
 * and the next one begins the servers are the same.
 */
export function boundariesOf(steps: number, commands: number, most: number): readonly Boundary[] {
  const ofSteps = Array.from({ length: steps }, (_, begun): Boundary => ({ begun }));
  const numbers = new Set(
    Array.from({ length: most }, (_, index) => 1 + Math.floor((index * commands) / most)),
  );
  return [...ofSteps, { ended: steps - 1 }, ...[...numbers].map((command) => ({ command }))];
}

/** Runs a plan in a process of its own that is killed there; returns whether it got that far. */
export async function runAndDie(cluster: Present, plan: Plan, dieAt: Boundary): Promise<boolean> {
  const tool = spawn(process.execPath, [join(import.meta.dirname, 'planProcess.ts')], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exit = once(tool, 'exit');
  const request: PlanRequest = { servers: cluster.nodes, plan, dieAt };
  tool.stdin.end(`${JSON.stringify(request)}\n`);
  const [code, signal] = (await exit) as [number | null, string | null];
  if (signal === 'SIGKILL') return true;
  if (code !== 0) throw new Error(`the process that runs the plan ended with ${String(code)}`);
  return false;
}

/** A dialer all of whose connections break when the n-th command that changes something has been sent; it says so. */
export function cutDialer(dialer: ClusterDialer, command: number, onCut: () => void): ClusterDialer {
  const open: NodeConnection[] = [];
  let sent = 0;
  const kept: ClusterDialer = {
    credentials: dialer.credentials,
    dial: async (id) => {
      const connection = await dialer.dial(id);
      open.push(connection);
      return connection;
    },
  };
  return faultyDialer(kept, (_, words) => {
    if (changes(words) && ++sent === command) {
      onCut();
      setImmediate(() => {
        for (const connection of open.splice(0)) connection.close();
      });
    }
    return undefined;
  });
}

/** redis-cli's own check, repeated while replicas are still catching up with the news. */
export async function checkText(cluster: TestCluster, address: string): Promise<string | undefined> {
  let stdout = '';
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await cluster.cli('--cluster', 'check', address);
    if (answer.code === 0) return undefined;
    ({ stdout } = answer);
    await sleep(200);
  }
  return stdout;
}

/**
 * Runs a plan again and again, each time ended like a killed process one step later, until it is through; says how
 * often. What the cluster does by itself in between, `meanwhile` waits for.
 */
export async function runKilled(
  plan: Plan,
  ports: RunPorts,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  let killed = 0;
  for (let kills = 0; ; kills++) {
    const kill = (moment: 'begun' | 'ended') => (index: number, how?: string) =>
      index === Math.floor(kills / 2) && (moment === 'begun') === (kills % 2 === 0) && how !== 'skipped'
        ? Promise.reject(new Error('killed'))
        : Promise.resolve();
    try {
      await runPlan(plan, { ...ports, observer: { begun: kill('begun'), ended: kill('ended') } });
      if (kills >= plan.steps.length * 2) return killed;
    } catch (error) {
      if (!String(error).includes('killed')) throw error;
      killed++;
      await meanwhile();
    }
  }
}
