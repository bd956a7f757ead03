import { UserError } from '../../model/errors.ts';
import { quantity } from '../../model/quantity.ts';
import { mastersOf, nodeName } from '../../model/shards.ts';
import { eachSlot, formatSlots } from '../../model/slots.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type * as redisEntry from '../../redis/entry.ts';
import { answers, refusal } from '../nodes.ts';
import { count, described, listOf, matching } from './fields.ts';
import { filesOf, type StepPorts } from './ports.ts';
import { never, noCommand, noLoss, type StepData, type StepDefinition } from './step.ts';

const fields = {
  folder: described(
    matching(/^[^\p{Cc}]{1,4096}$/u, 'the path of a folder'),
    'The folder of the files, on the computer that runs the plan.',
  ),
  files: listOf(matching(/^[\w.-]{1,250}\.rdb$/, 'the name of an RDB file')),
  keys: described(count, 'How many keys the files hold, against which progress is shown.'),
};

type RestoreKeys = StepData<'restoreKeys', typeof fields>;

/** Steps that have written all keys in this run: what clients change afterwards is not the restore's failure. */
const restored = new WeakSet<RestoreKeys>();

/** Writes the keys of RDB files to the masters that own their slots. Keys that are there already stay as they are. */
export const restoreKeys: StepDefinition<'restoreKeys', typeof fields> = {
  kind: 'restoreKeys',
  description: 'Writes the keys of RDB files. Keys that the cluster holds already are kept.',
  fields,
  example: {
    folder: '/backups/shop-20260101-000000',
    files: ['redis-node-10.0.0.1-6379-0000.rdb'],
    keys: 1000,
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ folder, files, keys }) =>
    `Restore ${quantity(keys, 'key')} of ${quantity(files.length, 'file')} in ${folder}`,
  loss: noLoss,
  destroys: never,
  command: noCommand,
  isDone: (step) => restored.has(step),
  check: (_step, snapshot) => {
    for (const node of receiversIn(snapshot)) {
      if (!answers(node)) throw refusal('unreachable', `${nodeName(node)} does not answer.`);
    }
  },
  act: async (step, ports) => {
    const masters = receiversIn(ports.snapshot);
    const connections = await Promise.all(masters.map(({ id }) => ports.dialer.dial(id)));
    try {
      const receivers = masters.flatMap(({ slots, view, ...node }, index) => {
        const connection = connections[index];
        if (connection === undefined || view === undefined) return [];
        const reads = ports.redis.readsOf(view.product, view.version);
        return [{ name: nodeName(node), connection, slots, reads }];
      });
      await writeFiles(step, receivers, ports);
      if (!ports.signal.aborted) restored.add(step);
    } finally {
      for (const connection of connections) connection.close();
    }
  },
};

function receiversIn(snapshot: ClusterSnapshot): ReturnType<typeof mastersOf> {
  return mastersOf(snapshot).filter(({ slots }) => slots.length > 0);
}

async function writeFiles(
  { folder, files, keys }: RestoreKeys,
  receivers: readonly redisEntry.Receiver[],
  ports: StepPorts,
): Promise<void> {
  const { redis, report, signal, tally } = ports;
  const writer = new redis.KeyWriter(receivers, () => Date.now());
  const failed = new AbortController();
  const stopped = AbortSignal.any([signal, failed.signal]);
  // All at once, since each file's keys go to few masters.
  const written = await Promise.allSettled(
    files.map(async (file) => {
      const reader = new redis.RdbReader(file);
      const take = async (entries: readonly redisEntry.RdbEntry[]): Promise<void> => {
        await writer.write(entries, reader.header?.family ?? 'redis');
        const { restored: done, kept, expired } = writer.written;
        report({ text: 'restoring', done: done + kept + expired, total: keys, unit: 'keys' });
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
  if (!signal.aborted) await compare(receivers, writer.lasting);
}

/** Keys that do not expire have to be there by now, slot by slot. */
async function compare(receivers: readonly redisEntry.Receiver[], expected: Uint32Array): Promise<void> {
  const fewer: [number, number][] = [];
  for (const { connection, slots } of receivers) {
    const own = [...eachSlot(slots)].filter((slot) => (expected[slot] ?? 0) > 0);
    const counts = await connection.pipeline(own.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]));
    for (const [index, slot] of own.entries()) {
      if (Number(counts[index]) < (expected[slot] ?? 0)) fewer.push([slot, slot]);
    }
  }
  if (fewer.length === 0) return;
  throw new UserError(
    'failed',
    `Slots ${formatSlots(fewer)} hold fewer keys than the files. Clients may have deleted some, or the servers evict keys (maxmemory-policy). Run it again to write what is missing.`,
  );
}
