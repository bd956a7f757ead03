import { messageOf, UserError } from '../../model/errors.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterDialer, NodeConnection } from '../../redis/nodeConnection.ts';
import type { ShardSource } from './sources.ts';

/** Writes wait no longer than this, whatever becomes of the backup: servers resume them by themselves. */
export const longestPauseMs = 20_000;
const betweenLooksMs = 50;

interface PausePorts {
  readonly dialer: ClusterDialer;
  readonly delay: (milliseconds: number) => Promise<void>;
}

/** Writes on all masters that wait until it is released, at the latest after `longestPauseMs`. */
export interface WritePause {
  /** Aborted, with a UserError, when the time is over before it was released. */
  readonly signal: AbortSignal;
  readonly release: () => Promise<void>;
}

/**
 * Has all masters keep writes waiting, and waits until the servers that are copied have all that was written before: what
 * they send then is of the same moment. Throws a UserError with the server's words where one does not allow it; then no
 * write waits any more.
 */
export async function pauseWrites(shards: readonly ShardSource[], ports: PausePorts): Promise<WritePause> {
  const connections: NodeConnection[] = [];
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort(
      new UserError(
        'failed',
        `The servers did not all begin to send within ${longestPauseMs / 1000} s, so the backup would not be of one moment. Writes are no longer paused. A lower repl-diskless-sync-delay lets them begin sooner.`,
      ),
    );
  }, longestPauseMs);
  const release = async (): Promise<void> => {
    clearTimeout(timer);
    await Promise.allSettled(connections.map((connection) => connection.call('CLIENT', 'UNPAUSE')));
    for (const connection of connections.splice(0)) connection.close();
  };
  try {
    for (const { master } of shards) connections.push(await ports.dialer.dial(master.id));
    await Promise.all(
      shards.map(async ({ master }, index) => {
        await connections[index]?.call('CLIENT', 'PAUSE', longestPauseMs, 'WRITE').catch((error: unknown) => {
          throw new UserError(
            'failed',
            `${nodeName(master)} does not pause writes: ${messageOf(error)}. Nothing was written.`,
          );
        });
      }),
    );
    await Promise.all(
      shards.map((shard, index) => waitForSource(shard, connections[index], over.signal, ports)),
    );
    return { signal: over.signal, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A replica has received all once it says an offset that its master had after it began to pause. */
async function waitForSource(
  { master, source }: ShardSource,
  ofMaster: NodeConnection | undefined,
  over: AbortSignal,
  { dialer, delay }: PausePorts,
): Promise<void> {
  if (ofMaster === undefined || master.id === source.id) return;
  const wanted = await offsetOf(ofMaster, 'master_repl_offset');
  const connection = await dialer.dial(source.id);
  try {
    while ((await offsetOf(connection, 'slave_repl_offset')) < wanted) {
      over.throwIfAborted();
      await delay(betweenLooksMs);
    }
  } finally {
    connection.close();
  }
}

async function offsetOf(connection: NodeConnection, field: string): Promise<number> {
  const text = String(await connection.call('INFO', 'replication'));
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
