import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../src/model/clusterRef.ts';
import type { Plan } from '../../src/model/plan.ts';
import { runPlan, type PlanResult, type RunPorts } from '../../src/operations/runPlan.ts';
import { myId } from '../../src/redis/admin.ts';
import { connectNode } from '../../src/redis/connect.ts';
import * as redis from '../../src/redis/entry.ts';
import type { Argument, ClusterDialer, NodeConnection } from '../../src/redis/nodeConnection.ts';
import type { TestCluster } from '../support/startRedisCluster.ts';
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
export async function present({ addresses, nodes }: TestCluster): Promise<Present> {
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
  if (verb === 'MIGRATE' || (verb === 'CONFIG' && sub === 'SET')) return true;
  return verb === 'CLUSTER' && /^(?:SETSLOT|REPLICATE|FAILOVER|FORGET|RESET|MEET)$/.test(String(sub));
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

export async function run(cluster: Present, plan: Plan, dialer?: ClusterDialer): Promise<PlanResult> {
  return await runPlan(plan, portsTo(cluster, dialer));
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

/** Every step's beginning and end, and some of the commands between, evenly spread. */
export function boundariesOf(plan: Plan, commands: number, most: number): readonly Boundary[] {
  const steps = plan.steps.flatMap((_, index): Boundary[] => [{ begun: index }, { ended: index }]);
  const numbers = new Set(
    Array.from({ length: most }, (_, index) => 1 + Math.floor((index * commands) / most)),
  );
  return [...steps, ...[...numbers].map((command) => ({ command }))];
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

/** A dialer all of whose connections break when the n-th command that changes something has been sent. */
export function cutDialer(dialer: ClusterDialer, command: number): ClusterDialer {
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
