import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Address } from '../../src/model/clusterRef.ts';

/** How a client presents itself to servers that speak TLS only: PEM texts. */
export interface ChaosTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ChaosOptions {
  /** Nodes to start from, as this machine reaches them; the client finds the others by itself. */
  readonly nodes: readonly Address[];
  /** The name server that knows the nodes' names, where they are no addresses. They are looked up at each reconnect. */
  readonly nameServer?: string;
  /** Addresses by name, of servers that speak TLS and announce names that no name server knows. */
  readonly names?: Readonly<Record<string, string>>;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ChaosTls;
  /** Loops that write and read at the same time, spread over the shards; at least one a shard. */
  readonly workers?: number;
}

/** Certificates name pods, and this machine dials addresses: the CA is checked, the name is not. */
export function tlsOptions(tls: ChaosTls): ChaosTls & { readonly checkServerIdentity: () => undefined } {
  return { ...tls, checkServerIdentity: () => undefined };
}

/** What the client has seen. Nothing was lost if `missing` and `stale` are 0. */
export interface ChaosReport {
  readonly acknowledged: number;
  /** Keys that were gone, when read back during the run or at its end, although a write of theirs was acknowledged. */
  readonly missing: number;
  /** Keys that held an older value than the last one acknowledged. */
  readonly stale: number;
  /** One line for each missing or stale key. */
  readonly losses: readonly string[];
  /** Commands the client gave up on, as `count × message`; such a write may have happened or not. */
  readonly errors: readonly string[];
  /** The longest time without an acknowledged write, until the end of the run; by the node that served the slots at the start. */
  readonly longestGapMs: number;
  readonly perShardLongestGapMs: Readonly<Record<string, number>>;
  /** The client's retry settings, without which the figures above say nothing. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ChaosClient {
  /** Ends the writing, reads everything back and reports. */
  stop(): Promise<ChaosReport>;
  /** Ends the client without a report, where the run has failed anyway. */
  abandon(): Promise<void>;
}

/**
 * Lets a process run whenever it can, as if it had a machine of its own: a client that waits for a processor takes that
 * for a gap of the servers'. In a session of its own its nice value says nothing beside others, the session's does
 * (autogroup, sched(7)). Only root may; without, the client is one process among others.
 */
async function favour(pid: number): Promise<void> {
  try {
    setPriority(pid, -15);
    await writeFile(`/proc/${pid}/autogroup`, '-15');
  } catch {
    return;
  }
}

/**
 * Starts a cluster-aware client in a process of its own, so that nothing the test does disturbs it: it writes growing
 * numbers, reads them back and remembers what was acknowledged. Resolves once every shard has acknowledged a write.
 */
export async function startChaosClient(options: ChaosOptions): Promise<ChaosClient> {
  const worker = spawn(process.execPath, [join(import.meta.dirname, 'chaosWorker.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(worker, 'exit');
  if (worker.pid !== undefined) await favour(worker.pid);
  const lines = createInterface(worker.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the chaos client ended before it had reported');
    return line.value;
  };
  // The password goes by the pipe; when the pipe closes, the process ends.
  worker.stdin.write(`${JSON.stringify(options)}\n`);
  await nextLine();
  // A test that fails before it stops the client is not kept from ending by it.
  const pipes: unknown = [worker.stdin, worker.stdout];
  const parts = [worker, ...(pipes as readonly Socket[])];
  for (const part of parts) part.unref();
  const awaitIt = (): void => {
    for (const part of parts) part.ref();
  };
  return {
    stop: async () => {
      awaitIt();
      worker.stdin.write('stop\n');
      const report = JSON.parse(await nextLine()) as ChaosReport;
      worker.stdin.end();
      await exited;
      return report;
    },
    abandon: async () => {
      awaitIt();
      worker.kill();
      await exited;
    },
  };
}
