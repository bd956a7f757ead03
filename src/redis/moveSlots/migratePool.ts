import type { Address } from '../../model/clusterRef.ts';
import { mayPass, migrateCommand, migrateRefusal } from '../migrateCommand.ts';
import type { Credentials, NodeConnection } from '../nodeConnection.ts';
import { farMs } from './distance.ts';
import type { Speed } from './speed.ts';
import { shortestTimeoutMs, type Tempo } from './tempo.ts';

/** Keys of one slot: one MIGRATE takes keys of one slot only. */
export interface Batch {
  readonly slot: number;
  readonly keys: readonly Buffer[];
  readonly bytes: number;
  /** What the one key of a batch consists of, where it is large and was looked at. */
  readonly elements?: number;
}

export interface MigratedKeys {
  readonly keys: number;
  readonly bytes: number;
  /** A refusal that another try may get over. */
  readonly refusal?: Error;
}

/** All MIGRATEs of a move pass here, whichever slots they are of, so that the source has only so many to do at once. */
export interface MigratePool {
  migrate(batch: Batch, how: Manner): Promise<MigratedKeys>;
  /** How long the source stood still for one write at most, as this side saw it; milliseconds. */
  readonly longestMs: number;
}

interface Manner {
  readonly replace: boolean;
  /** With no other MIGRATE beside it, so that this one may take all the patience there is. */
  readonly alone: boolean;
  /** Aborted where another batch of the same slots has failed for good: those that wait are not sent any more. */
  readonly given: AbortSignal;
}

export interface MigratePoolOptions {
  /** Connections to the source that nothing else uses. */
  readonly connections: readonly NodeConnection[];
  /** The target as the source server reaches it. */
  readonly target: Address;
  readonly credentials: Credentials;
  /** How long the source may stand still for MIGRATE at the worst, well below cluster-node-timeout; milliseconds. */
  readonly patienceMs: number;
  /** The way to the source and back; milliseconds. */
  readonly roundTripMs: number;
  readonly tempo: () => Tempo;
  readonly speed: Speed;
}

interface Job extends Manner {
  readonly batch: Batch;
  readonly done: (migrated: MigratedKeys) => void;
  readonly failed: (error: unknown) => void;
}

export function startMigratePool(options: MigratePoolOptions): MigratePool {
  const waiting: Job[] = [];
  const idle = [...options.connections];
  let [inFlight, isAlone, longestMs] = [0, false, 0];
  const next = (): void => {
    for (;;) {
      const { perWrite, inFlight: most } = options.tempo();
      while (waiting[0]?.given.aborted === true) waiting.shift()?.done({ keys: 0, bytes: 0 });
      const [first] = waiting;
      if (first === undefined || isAlone || inFlight >= most || (first.alone && inFlight > 0)) return;
      const connection = idle.pop();
      if (connection === undefined) return;
      const end = first.alone ? 1 : waiting.findIndex(({ alone }, index) => alone || index === perWrite);
      const jobs = waiting.splice(0, end === -1 ? perWrite : end);
      inFlight += jobs.length;
      isAlone = first.alone;
      const began = performance.now();
      if (inFlight === jobs.length) options.speed.begun();
      void send(options, connection, jobs, most).finally(() => {
        const took = Math.max(0, performance.now() - began - options.roundTripMs);
        longestMs = Math.max(longestMs, took);
        noteSpeed(options, jobs, took, inFlight > jobs.length);
        idle.push(connection);
        inFlight -= jobs.length;
        if (first.alone) isAlone = false;
        next();
      });
    }
  };
  return {
    migrate: (batch, how) => {
      const { promise, resolve, reject } = Promise.withResolvers<MigratedKeys>();
      waiting.push({ batch, ...how, done: resolve, failed: reject });
      // Batches that are handed in together share a write.
      queueMicrotask(next);
      return promise;
    },
    get longestMs() {
      return longestMs;
    },
  };
}

/** Over a long way it cannot be seen how long small keys take; a big one takes longer than the way. */
function noteSpeed(
  { speed, roundTripMs }: MigratePoolOptions,
  jobs: readonly Job[],
  tookMs: number,
  areOthersUnderWay: boolean,
): void {
  const [first] = jobs;
  if (first?.alone === true) {
    const { bytes, elements } = first.batch;
    if (elements !== undefined) speed.noteBig({ bytes, elements }, tookMs);
    return;
  }
  if (roundTripMs > farMs) return;
  const elements = jobs.reduce((sum, { batch }) => sum + batch.keys.length, 0);
  const bytes = jobs.reduce((sum, { batch }) => sum + batch.bytes, 0);
  speed.ended({ elements, bytes, migrates: jobs.length }, areOthersUnderWay);
}

/** Settles every job and never rejects. */
async function send(
  options: MigratePoolOptions,
  connection: NodeConnection,
  jobs: readonly Job[],
  inFlight: number,
): Promise<void> {
  const { patienceMs } = options;
  try {
    const replies = await connection.pipeline(
      jobs.map(({ batch, replace, alone }) => {
        const timeout = alone ? patienceMs : Math.max(shortestTimeoutMs, Math.floor(patienceMs / inFlight));
        const how = { ...options, timeoutMs: timeout, options: replace ? (['REPLACE'] as const) : [] };
        return migrateCommand(how, batch.keys);
      }),
    );
    for (const [index, job] of jobs.entries()) settle(job, replies[index]);
  } catch (error) {
    for (const job of jobs) job.failed(error);
  }
}

/** NOKEY is no failure: the keys expired meanwhile, and the next listing shows whether that is true. */
function settle({ batch, done, failed }: Job, reply: unknown): void {
  if (reply === 'OK') done({ keys: batch.keys.length, bytes: batch.bytes });
  else if (reply === 'NOKEY') done({ keys: 0, bytes: 0 });
  else {
    const refusal = migrateRefusal(reply);
    if (mayPass(refusal)) done({ keys: 0, bytes: 0, refusal });
    else failed(refusal);
  }
}
