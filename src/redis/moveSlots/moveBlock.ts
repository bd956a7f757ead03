import { UserError } from '../../model/errors.ts';
import type { KnownNode } from '../../model/nodeView.ts';
import { formatSlots, slotsFrom, type SlotSet } from '../../model/slots.ts';
import type { Batch, MigratePool } from './migratePool.ts';
import { migrateKeys, listKeys, type KeyMigration } from './migrateKeys.ts';
import { handOver, openForMove, slotsWithKeys, type Ends } from './handOver.ts';
import type { Tally } from './progress.ts';
import type { Block } from './queue.ts';
import { untilOutranks } from './ready.ts';
import type { Share } from './replicaGate.ts';
import type { MoveRequest } from './request.ts';
import type { Tempo } from './tempo.ts';

/** What all blocks of a move have in common. */
export interface BlockRun {
  readonly request: MoveRequest;
  readonly pool: MigratePool;
  readonly tempo: () => Tempo;
  readonly tally: Tally;
  readonly nodeTimeoutMs: number;
  readonly onMoved: (slots: SlotSet) => void;
  underWay: { keys: number; bytes: number };
  /** The config epoch of the source over which the target's claim is known to win. */
  outranked: number;
}

/** How often slots are counted again where this machine sleeps or is far too slow. */
const freshTries = 10;

/** How long a source may be out of sight without its replicas taking its place; milliseconds. */
export function patienceOf({ nodeTimeoutMs }: Pick<BlockRun, 'nodeTimeoutMs'>): number {
  return Math.floor(nodeTimeoutMs * 0.6);
}

/** Opens the slots of a block, migrates their keys and hands them over. */
export async function moveBlock(
  run: BlockRun,
  ends: Ends,
  { slots, large }: Block,
  share: Share,
): Promise<void> {
  const migration = { ...migrationOf(run, ends, share), large };
  const [opening, listing] = [openForMove(ends, slots), listKeys(migration, slots)];
  // No SETSLOT is on its way any more when one of them has failed.
  await Promise.allSettled([opening, listing]);
  await opening;
  const moving = { keys: 0, bytes: 0 };
  for (let attempt = 1; ; attempt++) {
    const listed = attempt === 1 ? await listing : undefined;
    const { keys, bytes, isFresh } = await empty(run, ends, migration, slots, listed);
    moving.keys += keys;
    moving.bytes += bytes;
    if (isFresh()) break;
    if (attempt === freshTries) throw tooSlow(slots, patienceOf(run));
  }
  const { keys, bytes } = moving;
  await handOver(ends, slots);
  const moved = slotsFrom(slots);
  run.onMoved(moved);
  run.underWay = { keys: run.underWay.keys - keys, bytes: run.underWay.bytes - bytes };
  run.tally.add({ slots: moved, keys, bytes });
}

function migrationOf(run: BlockRun, { source }: Ends, share: Share): Omit<KeyMigration, 'large'> {
  return {
    list: source,
    pool: run.pool,
    target: run.request.targetAddress,
    tempo: run.tempo,
    share,
    onKeys: (keys, bytes) => {
      run.underWay = { keys: run.underWay.keys + keys, bytes: run.underWay.bytes + bytes };
      run.tally.show(run.underWay.keys, run.underWay.bytes);
    },
  };
}

function tooSlow(slots: readonly number[], patienceMs: number): UserError {
  return new UserError(
    'unsafe',
    `Between the source's last word on slots ${formatSlots(slotsFrom(slots))} and their handing over more than ${patienceMs} ms passed each time, so they were not handed over.`,
  );
}

/**
 * Carries keys until the barrier sees none; a key that comes to light only there gets two more chances. The count holds
 * only as long as nobody can have taken the source's place: on a machine that slept in between, a replica may have been
 * promoted and have taken writes, which it would drop as soon as the target owned the slot.
 */
async function empty(
  run: BlockRun,
  ends: Ends,
  migration: KeyMigration,
  slots: readonly number[],
  listed: readonly Batch[] | undefined,
): Promise<{ keys: number; bytes: number; isFresh: () => boolean }> {
  const total = { keys: 0, bytes: 0 };
  let left = slots;
  for (let round = 0; round < 3; round++) {
    const { keys, bytes } = await migrateKeys(migration, left, round === 0 ? listed : undefined);
    total.keys += keys;
    total.bytes += bytes;
    const age = startAge();
    const counted = await slotsWithKeys(ends, slots);
    left = counted.left;
    if (left.length > 0) continue;
    await outrank(run, ends, counted.source);
    return { ...total, isFresh: () => age() < patienceOf(run) };
  }
  throw new UserError(
    'unsafe',
    `The source still counts keys in slots ${formatSlots(slotsFrom(left))} that it does not list, so the ownership of these slots was not changed.`,
  );
}

/** A source that has taken other slots since, or met a node with the same config epoch, has a newer one than before. */
async function outrank(run: BlockRun, { target }: Ends, source: KnownNode): Promise<void> {
  if (source.configEpoch <= run.outranked) return;
  await untilOutranks(target, source);
  run.outranked = source.configEpoch;
}

/** Milliseconds since now, by whichever clock says more: one stands still while the machine sleeps, one can be set back. */
function startAge(): () => number {
  const [start, date] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - start, Date.now() - date);
}
