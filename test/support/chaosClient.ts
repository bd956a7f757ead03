import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Address } from '../../src/model/clusterRef.ts';

export interface ChaosOptions {
  /** Nodes to start from, as this machine reaches them; the client finds the others by itself. */
  readonly nodes: readonly Address[];
  readonly password?: string;
  /** Loops that write and read at the same time, spread over the shards; at least one a shard. */
  readonly workers?: number;
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
  /** The longest time without an acknowledged write; by the node that served the slots at the start. */
  readonly longestGapMs: number;
  readonly perShardLongestGapMs: Readonly<Record<string, number>>;
  /** The client's retry settings, without which the figures above say nothing. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ChaosClient {
  /** Ends the writing, reads everything back and reports. */
  stop(): Promise<ChaosReport>;
}

/**
 * Starts a cluster-aware client in a process of its own, so that nothing the test does disturbs it: it writes growing
 * numbers, reads them back and remembers what was acknowledged. Resolves once every shard has acknowledged a write.
 */
export async function startChaosClient(options: ChaosOptions): Promise<ChaosClient> {
  const worker = spawn(process.execPath, [join(import.meta.dirname, 'chaosWorker.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(worker, 'exit');
  const lines = createInterface(worker.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the chaos client ended before it had reported');
    return line.value;
  };
  // The password goes by the pipe; when the pipe closes, the process ends.
  worker.stdin.write(`${JSON.stringify(options)}\n`);
  await nextLine();
  return {
    stop: async () => {
      worker.stdin.write('stop\n');
      const report = JSON.parse(await nextLine()) as ChaosReport;
      worker.stdin.end();
      await exited;
      return report;
    },
  };
}
