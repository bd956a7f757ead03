import { bytesText } from '../model/bytes.ts';
import { isUnreachable, UserError } from '../model/errors.ts';
import { pause } from '../model/pause.ts';
import type { Report } from '../model/progress.ts';
import { mastersOf } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';
import { withInfo } from '../model/nodeView.ts';
import { backupText, nodesText, type CopiedShard } from './backups/description.ts';
import { copyShard, type BackupPlace, type CopyPorts } from './backups/copyShard.ts';
import { pauseWrites } from './backups/pauseWrites.ts';
import { chooseSources, type Sources } from './backups/sources.ts';

export type { BackupPlace } from './backups/copyShard.ts';
export { longestPauseMs } from './backups/pauseWrites.ts';
export { chooseSources } from './backups/sources.ts';

/** How often a cluster is copied whose slots moved meanwhile. */
const mostAttempts = 3;
const reportEveryMs = 250;
/** For so long a cluster is waited for that elects a new master, or whose replicas copy from one. */
const settledWithinMs = 60_000;
const betweenReadingsMs = 500;

export interface BackupPorts {
  readonly dialer: CopyPorts['dialer'];
  readonly redis: CopyPorts['redis'];
  /** A reading that begins after the call. */
  readonly readSnapshot: () => Promise<ClusterSnapshot>;
  /** Makes the place of one attempt, empty. */
  readonly place: () => Promise<BackupPlace>;
  /** Removes what the last attempt wrote. */
  readonly discard: () => Promise<void>;
  readonly report: Report;
  /** Writes wait on all masters until every server has begun to send, so that the backup is of one moment. */
  readonly pausesWrites?: boolean;
  readonly signal: AbortSignal;
  readonly clock: () => number;
}

export interface BackupResult {
  readonly bytes: number;
  readonly keys: number;
  readonly shards: readonly CopiedShard[];
  readonly missingSlots?: string;
}

/**
 * Copies all shards of a cluster at once. Nothing is changed on any server. A slot that moved meanwhile could be in no
 * file or in two: what was written is then discarded, and all is copied again, as where a server is lost. Throws a UserError where that does not
 * help, and whatever a server or the place refuses; nothing half written stays.
 */
export async function backUp(
  snapshot: ClusterSnapshot,
  evenPartly: boolean,
  ports: BackupPorts,
): Promise<BackupResult> {
  let before = snapshot;
  const losses = new Losses();
  try {
    for (let attempt = 1; attempt <= mostAttempts;) {
      const sources = chooseSources(before, evenPartly);
      const place = await ports.place();
      const begun = new Date(ports.clock());
      const shards = await copyAll(sources, place, ports).catch((error: unknown) => {
        losses.take(error);
        return undefined;
      });
      const after = await settled(evenPartly, ports);
      if (shards !== undefined && layoutOf(after) === layoutOf(before)) {
        await writeText(place, 'nodes.json', nodesText(before));
        const times = [begun, new Date(ports.clock())] as const;
        await writeText(place, 'backup.json', backupText(before, sources, shards, times));
        return resultOf(sources, shards);
      }
      await ports.discard();
      before = after;
      if (shards === undefined) await pause(betweenReadingsMs, ports.signal);
      else attempt += 1;
    }
  } catch (error) {
    await ports.discard();
    throw error;
  }
  throw new UserError(
    'failed',
    `${snapshot.name} was not backed up: slots moved or masters changed ${mostAttempts} times meanwhile. Back it up when that has ended.`,
  );
}

/** Servers that were lost while they were copied. A new master is elected only after some time. */
class Losses {
  #count = 0;
  #first: number | undefined;

  /** Throws what was thrown where it is no loss of a server, or there were too many for too long. */
  take(error: unknown): void {
    const now = performance.now();
    this.#first ??= now;
    this.#count += 1;
    const isOver = now - this.#first > settledWithinMs && this.#count >= mostAttempts;
    if (!isUnreachable(error) || isOver) throw error;
  }
}

/** A reading of which a backup can be taken. Throws what is in the way when the time is up. */
async function settled(
  evenPartly: boolean,
  { readSnapshot, report, signal }: BackupPorts,
): Promise<ClusterSnapshot> {
  const until = performance.now() + settledWithinMs;
  for (;;) {
    try {
      const snapshot = await readSnapshot();
      chooseSources(snapshot, evenPartly);
      return snapshot;
    } catch (error) {
      if (!(error instanceof UserError) || performance.now() > until) throw error;
    }
    report({ text: 'Waiting until all slots are served' });
    await pause(betweenReadingsMs, signal);
  }
}

/** All or none: the others are stopped where one fails. */
async function copyAll(
  sources: Sources,
  place: BackupPlace,
  ports: BackupPorts,
): Promise<readonly CopiedShard[]> {
  if (ports.pausesWrites !== true) return await copyShards(sources, place, ports);
  ports.report({ text: 'Pausing writes' });
  const paused = await pauseWrites(sources.shards, { dialer: ports.dialer, delay: pause });
  try {
    let waiting = sources.shards.length;
    const onBegun = (): void => {
      waiting -= 1;
      if (waiting === 0) void paused.release();
    };
    const signal = AbortSignal.any([ports.signal, paused.signal]);
    return await copyShards(sources, place, { ...ports, signal }, onBegun);
  } finally {
    await paused.release();
  }
}

async function copyShards(
  { shards }: Sources,
  place: BackupPlace,
  { dialer, redis, report, signal, clock }: BackupPorts,
  onBegun?: () => void,
): Promise<readonly CopiedShard[]> {
  const failed = new AbortController();
  const onCopied = reporting(shards, report, clock);
  const copying = { dialer, redis, place, onCopied, signal: AbortSignal.any([signal, failed.signal]) };
  const results = await Promise.allSettled(
    shards.map(async (shard) => {
      try {
        return await copyShard(shard, onBegun === undefined ? copying : { ...copying, onBegun });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** Adds up what all shards report, and says how far they are. */
function reporting(
  shards: Sources['shards'],
  report: Report,
  clock: () => number,
): (moreBytes: number, moreKeys: number) => void {
  const total = shards.reduce((sum, { source }) => sum + (withInfo(source.view)?.keys ?? 0), 0);
  const begun = clock();
  let [bytes, keys, reported] = [0, 0, 0];
  report({ text: 'Waiting for the servers to fork', done: 0, total, unit: 'keys' });
  return (moreBytes, moreKeys) => {
    bytes += moreBytes;
    keys += moreKeys;
    const now = clock();
    if (now - reported < reportEveryMs) return;
    reported = now;
    const text = `${bytesText(bytes)} copied${leftText(now - begun, keys, total)}`;
    report({ text, done: Math.min(keys, total), total, unit: 'keys' });
  };
}

function leftText(passedMs: number, done: number, total: number): string {
  if (done === 0 || done >= total || passedMs < 2_000) return '';
  return ` · about ${Math.ceil((passedMs * (total - done)) / done / 1000)} s left`;
}

/** What must be the same before and after: who owns which slots, by which config epochs. */
function layoutOf(snapshot: ClusterSnapshot): string {
  return mastersOf(snapshot)
    .map(({ id, slots, configEpoch }) => `${id} ${configEpoch} ${formatSlots(slots)}`)
    .join('\n');
}

async function writeText(place: BackupPlace, name: string, text: string): Promise<void> {
  const file = await place.create(name);
  await file.write(Buffer.from(text));
  await file.end();
}

function resultOf({ missing }: Sources, shards: readonly CopiedShard[]): BackupResult {
  return {
    bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0),
    keys: shards.reduce((sum, shard) => sum + (shard.keys ?? 0), 0),
    shards,
    ...(missing.length === 0 ? {} : { missingSlots: formatSlots(missing) }),
  };
}
