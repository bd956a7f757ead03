import { describeRef } from '../model/clusterRef.ts';
import { withInfo } from '../model/nodeView.ts';
import { quantity } from '../model/quantity.ts';
import { failedSlots, mastersOf, nodeName, slotsText, uncoveredSlots } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots, unionSlots } from '../model/slots.ts';
import type * as redisEntry from '../redis/entry.ts';
import { planFlush } from './flush.ts';
import { answers, namesIn, refusal, withOpenSlots } from './nodes.ts';
import type { Plan } from './plan.ts';
import { refuseIncomplete } from './refuseIncomplete.ts';
import type { BackupFiles } from './restore/readBackup.ts';
import { makeStep } from './steps/index.ts';

/** What becomes of keys that the cluster holds: there must be none, they stay, or they are deleted first. */
export type RestoreMode = 'empty' | 'merge' | 'replace';

/**
 * Plans to write the keys of a backup into a cluster of any shape. Throws a UserError where slots are not served or move,
 * where the cluster holds keys and nobody said what becomes of them, or where its servers cannot read a value.
 */
export function planRestore(
  snapshot: ClusterSnapshot,
  backup: BackupFiles,
  mode: RestoreMode,
  redis: Pick<typeof redisEntry, 'readsOf' | 'versionFor'>,
): Plan {
  refuseIncomplete(snapshot);
  refuseUnserved(snapshot);
  refuseUnreadable(snapshot, backup, redis);
  const held = heldKeys(snapshot);
  if (mode === 'empty' && held > 0) {
    throw refusal(
      'unsafe',
      `${snapshot.name} holds ${quantity(held, 'key')}. Restore with the mode "merge" to keep them, or "replace" to delete them first.`,
    );
  }
  const files = backup.files.map(({ file }) => file);
  const keys = backup.files.reduce((sum, { scanned }) => sum + scanned.keys, 0);
  const restore = makeStep('restoreKeys', { folder: backup.folder, files, keys }, namesIn(snapshot));
  const flush = mode === 'replace' && held > 0 ? planFlush(snapshot) : undefined;
  return {
    title: `Restore ${describeRef(snapshot.ref)} from ${backup.folder}`,
    ref: snapshot.ref,
    operation: 'restore',
    request: { from: backup.folder, mode },
    steps: [...(flush?.steps ?? []), restore],
    warnings: warningsOf(backup, mode, held),
    losses: flush?.losses ?? [],
  };
}

/** Keys on all masters that say so. */
export function heldKeys(snapshot: ClusterSnapshot): number {
  return mastersOf(snapshot).reduce((sum, { view }) => sum + (withInfo(view)?.keys ?? 0), 0);
}

function refuseUnserved(snapshot: ClusterSnapshot): void {
  const silent = mastersOf(snapshot).filter((node) => node.slots.length > 0 && !answers(node));
  const unserved = unionSlots(
    uncoveredSlots(snapshot),
    failedSlots(snapshot),
    ...silent.map(({ slots }) => slots),
  );
  if (unserved.length > 0) {
    throw refusal(
      'unsafe',
      `${slotsText(unserved)} (${formatSlots(unserved)}) of ${snapshot.name} are not served. Repair the cluster first.`,
    );
  }
  const open = withOpenSlots(snapshot);
  if (open.length === 0) return;
  throw refusal(
    'unsafe',
    `Slots of ${snapshot.name} are being moved (${open.map(nodeName).join(', ')}). Wait until that ends, or heal the cluster.`,
  );
}

function refuseUnreadable(
  snapshot: ClusterSnapshot,
  { files }: BackupFiles,
  { readsOf, versionFor }: Pick<typeof redisEntry, 'readsOf' | 'versionFor'>,
): void {
  for (const { view, ...node } of mastersOf(snapshot)) {
    if (view === undefined || node.slots.length === 0) continue;
    const reads = readsOf(view.product, view.version);
    for (const { file, scanned } of files) {
      const unknown = [...scanned.types].filter(
        (type) => versionFor(type, scanned.family, reads) === undefined,
      );
      if (unknown.length === 0) continue;
      const own = `${view.product === 'valkey' ? 'Valkey' : 'Redis'} ${view.version}`;
      throw refusal(
        'unsafe',
        `${file} holds values that ${own} (${nodeName(node)}) does not know (${unknown.map((type) => `type ${type}`).join(', ')}). Restore into servers as new as those that wrote it.`,
      );
    }
  }
}

function warningsOf({ missingSlots }: BackupFiles, mode: RestoreMode, held: number): readonly string[] {
  return [
    ...(missingSlots === undefined ? [] : [`The backup has nothing of slots ${missingSlots}.`]),
    ...(mode === 'merge' && held > 0
      ? [`${quantity(held, 'key')} that the cluster holds are kept, also where the backup has another value.`]
      : []),
  ];
}
