import { isUnreachable, UserError } from '../../model/errors.ts';
import { quantity } from '../../model/quantity.ts';
import { nodeName } from '../../model/shards.ts';
import { eachSlot, formatSlots, hasSlot, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type * as redisEntry from '../../redis/entry.ts';
import { filesOf, type StepPorts } from '../steps/ports.ts';
import { receiversIn, refuseUnserved } from '../refusals/restoring.ts';

/** How often slots are written again whose master was lost or changed meanwhile. */
const mostPasses = 5;
/** For so long a cluster is waited for that elects a new master or moves slots. */
const servedWithinMs = 60_000;
const betweenReadingsMs = 500;

interface WrittenFiles {
  readonly folder: string;
  readonly files: readonly string[];
  readonly keys: number;
}

interface Receivers {
  readonly snapshot: ClusterSnapshot;
  readonly all: readonly redisEntry.Receiver[];
}

/** What all passes share. */
interface Work {
  readonly ports: StepPorts;
  readonly files: WrittenFiles;
  readonly sample: redisEntry.ValueSample;
  /** By slot: how many keys that do not expire its master was given. */
  readonly lasting: Uint32Array;
}

/**
 * Writes the keys of files to the masters that own their slots, all at once. Where a master is lost, fails over or hands a
 * slot to another meanwhile, the slots concerned are written again as soon as they are served: keys that are there already
 * stay. Compares what the servers hold at the end. Ends early, without an error, when the signal is aborted.
 */
export async function writeKeys(files: WrittenFiles, ports: StepPorts): Promise<void> {
  const sample = new ports.redis.ValueSample(() => Date.now());
  const work: Work = { ports, files, sample, lasting: new Uint32Array(16_384) };
  let snapshot = ports.snapshot;
  let wanted: SlotSet | undefined;
  for (let pass = 1; pass <= mostPasses; pass++) {
    const missed = await withReceivers(snapshot, ports, (receivers) => writePass(work, receivers, wanted));
    if (ports.signal.aborted) return;
    const before = snapshot;
    snapshot = await readServed(ports);
    const again = new Set([...missed, ...movedBetween(before, snapshot)]);
    if (again.size === 0) {
      const unread = await withReceivers(snapshot, ports, (receivers) => compare(work, receivers));
      if (unread.size === 0) return;
      snapshot = await readServed(ports);
      for (const slot of unread) again.add(slot);
    }
    wanted = slotsFrom(again);
  }
  throw new UserError(
    'failed',
    `Slots ${formatSlots(wanted ?? [])} had another master each time their keys were written. Run it again when the cluster no longer changes.`,
  );
}

/** What a lost master did not take is found out by who owns its slots afterwards. */
function movedBetween(before: ClusterSnapshot, after: ClusterSnapshot): readonly number[] {
  const ownerOf = (snapshot: ClusterSnapshot): ReadonlyMap<number, string> =>
    new Map(
      receiversIn(snapshot).flatMap(({ id, slots }) =>
        [...eachSlot(slots)].map((slot) => [slot, id] as const),
      ),
    );
  const owners = ownerOf(after);
  return [...ownerOf(before)].flatMap(([slot, id]) => (owners.get(slot) === id ? [] : [slot]));
}

/** A reading in which all slots are served and none moves. Throws what is in the way when the time is up. */
async function readServed({ readSnapshot, delay, signal, now, report }: StepPorts): Promise<ClusterSnapshot> {
  const until = now() + servedWithinMs;
  for (;;) {
    try {
      const snapshot = await readSnapshot();
      refuseUnserved(snapshot);
      return snapshot;
    } catch (error) {
      if (!(error instanceof UserError) || signal.aborted) throw error;
      if (now() > until) throw new UserError(error.reason, keptText(error.message), { cause: error });
    }
    report({ text: 'waiting until all slots are served' });
    await delay(betweenReadingsMs, signal);
  }
}

function keptText(why: string): string {
  return `${why.replace(/ Nothing was changed\.$/, '')} The keys that were written are kept; run it again to write the others.`;
}

async function withReceivers<T>(
  snapshot: ClusterSnapshot,
  { dialer, redis }: StepPorts,
  use: (receivers: Receivers) => Promise<T>,
): Promise<T> {
  const dialled = await Promise.allSettled(
    receiversIn(snapshot).map(async (node) => {
      const connection = await dialer.dial(node.id);
      try {
        return { node, connection, forKeys: await dialer.dial(node.id) };
      } catch (error) {
        connection.close();
        throw error;
      }
    }),
  );
  const all = dialled.flatMap((one) => {
    // Its slots are missed, and written when they are served again.
    if (one.status === 'rejected' || one.value.node.view === undefined) return [];
    const { node, connection, forKeys } = one.value;
    const { product, version } = node.view ?? { product: 'redis', version: '' };
    const reads = redis.readsOf(product, version);
    return [{ name: nodeName(node), connection, forKeys, slots: node.slots, reads }];
  });
  try {
    const other = dialled.find((one) => one.status === 'rejected' && !isUnreachable(one.reason));
    if (other?.status === 'rejected') throw other.reason;
    return await use({ snapshot, all });
  } finally {
    for (const { connection, forKeys } of all) for (const one of [connection, forKeys]) one.close();
  }
}

/** Writes all files once, and returns the slots whose keys did not all arrive. */
async function writePass(
  { ports, files: { folder, files, keys }, sample, lasting }: Work,
  { all }: Receivers,
  wanted: SlotSet | undefined,
): Promise<ReadonlySet<number>> {
  const { redis, report, signal, tally } = ports;
  const isWanted = wanted === undefined ? {} : { isWanted: (slot: number) => hasSlot(wanted, slot) };
  const writer = new redis.KeyWriter(all, { now: () => Date.now(), sample, ...isWanted });
  const failed = new AbortController();
  const stopped = AbortSignal.any([signal, failed.signal]);
  // All at once, since each file's keys go to few masters.
  const written = await Promise.allSettled(
    files.map(async (file) => {
      const reader = new redis.RdbReader(file);
      const take = async (entries: readonly redisEntry.RdbEntry[]): Promise<void> => {
        await writer.write(entries, reader.header?.family ?? 'redis');
        const { restored, kept, expired } = writer.written;
        report({ text: 'restoring', done: restored + kept + expired, total: keys, unit: 'keys' });
      };
      try {
        for await (const piece of filesOf(ports).read(folder, file)) {
          if (stopped.aborted) return;
          await take(reader.push(piece));
        }
        await take(reader.end());
      } catch (error) {
        failed.abort();
        throw error;
      }
    }),
  );
  tally({ keys: writer.written.restored });
  for (const one of written) if (one.status === 'rejected') throw one.reason;
  const before = writer.written.restored;
  await writer.end();
  tally({ keys: writer.written.restored - before });
  for (const slot of wanted === undefined ? lasting.keys() : eachSlot(wanted))
    lasting[slot] = writer.lasting[slot] ?? 0;
  return writer.missed;
}

/**
 * Keys that do not expire have to be there by now, slot by slot, and sampled values have to be what was written. Returns
 * the slots whose master was lost, or is another one, when it was asked.
 */
async function compare({ sample, lasting, ports }: Work, { all }: Receivers): Promise<ReadonlySet<number>> {
  ports.report({ text: `comparing ${quantity(sample.size, 'value')}` });
  const fewer: number[] = [];
  const differing: redisEntry.Difference[] = [];
  const unread = new Set<number>();
  await Promise.all(
    all.map(async ({ connection, slots, reads }) => {
      const own = [...eachSlot(slots)].filter((slot) => (lasting[slot] ?? 0) > 0);
      try {
        const counts = await connection.pipeline(own.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]));
        for (const [index, slot] of own.entries())
          if (Number(counts[index]) < (lasting[slot] ?? 0)) fewer.push(slot);
        const found = await sample.compare(connection, reads.family, (slot) => hasSlot(slots, slot));
        differing.push(...found.differing);
        for (const slot of found.elsewhere) unread.add(slot);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        for (const slot of eachSlot(slots)) unread.add(slot);
      }
    }),
  );
  if (unread.size > 0) return unread;
  if (fewer.length > 0 || differing.length > 0)
    throw new UserError('failed', [...fewerText(fewer), ...differingText(differing, sample.size)].join(' '));
  ports.tally({ compared: sample.size });
  return unread;
}

function fewerText(slots: readonly number[]): readonly string[] {
  if (slots.length === 0) return [];
  return [
    `Slots ${formatSlots(slotsFrom(slots))} hold fewer keys than the files. Clients may have deleted some, or the servers evict keys (maxmemory-policy). Run it again to write what is missing.`,
  ];
}

const whats = { missing: 'is missing', value: 'has another value', expiry: 'expires at another time' };

function differingText(differing: readonly redisEntry.Difference[], compared: number): readonly string[] {
  if (differing.length === 0) return [];
  const some = differing
    .slice(0, 5)
    .map(({ type, slot, what }) => `a ${type} in slot ${slot} ${whats[what]}`);
  const more = differing.length > 5 ? `, and ${differing.length - 5} more` : '';
  return [
    `${differing.length} of ${quantity(compared, 'compared value')} differ from the files: ${some.join(', ')}${more}. Clients may have changed them since.`,
  ];
}
