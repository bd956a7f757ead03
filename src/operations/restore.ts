import { describeRef } from '../model/clusterRef.ts';
import { withInfo } from '../model/nodeView.ts';
import { quantity } from '../model/quantity.ts';
import { mastersOf } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type * as redisEntry from '../redis/entry.ts';
import { planFlush } from './flush.ts';
import { namesIn, refusal } from './servers/nodes.ts';
import type { Plan } from './plans/plan.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { keysIn, type BackupFiles } from './backups/readBackup.ts';
import { refuseRestore } from './refusals/restoring.ts';
import { makeStep } from './steps/index.ts';

export { probeMasters } from './backups/probeMasters.ts';

/** What becomes of keys that the cluster holds: there must be none, they stay, or they are deleted first. */
export type RestoreMode = 'empty' | 'merge' | 'replace';

/**
 * Plans to write the keys of a backup into a cluster of any shape. Throws a UserError where slots are not served or move,
 * where the cluster holds keys and it is not said what becomes of them, or where its servers cannot read or hold a value.
 */
export function planRestore(
  snapshot: ClusterSnapshot,
  backup: BackupFiles,
  mode: RestoreMode,
  redis: Pick<typeof redisEntry, 'readsOf' | 'versionFor'>,
): Plan {
  refuseIncomplete(snapshot);
  refuseRestore(snapshot, backup, redis);
  const held = heldKeys(snapshot);
  if (mode === 'empty' && held > 0) {
    throw refusal(
      'unsafe',
      `${snapshot.name} holds ${quantity(held, 'key')}. Restore with the mode "merge" to keep them, or "replace" to delete them first.`,
    );
  }
  const files = backup.files.map(({ file }) => file);
  const fields = { folder: backup.folder, files, keys: keysIn(backup) };
  const restore = makeStep('restoreKeys', fields, namesIn(snapshot));
  const flush = mode === 'replace' && held > 0 ? planFlush(snapshot) : undefined;
  // Nothing is deleted by a plan that was saved before its files are read again.
  const checkFirst = flush === undefined ? [] : [makeStep('checkBackup', fields, namesIn(snapshot))];
  return {
    title: `Restore ${describeRef(snapshot.ref)} from ${backup.folder}`,
    ref: snapshot.ref,
    operation: 'restore',
    request: { from: backup.folder, mode },
    steps: [...checkFirst, ...(flush?.steps ?? []), restore],
    warnings: warningsOf(backup, mode, held),
    losses: flush?.losses ?? [],
  };
}

/** Keys on all masters that say so. */
export function heldKeys(snapshot: ClusterSnapshot): number {
  return mastersOf(snapshot).reduce((sum, { view }) => sum + (withInfo(view)?.keys ?? 0), 0);
}

function warningsOf({ missingSlots }: BackupFiles, mode: RestoreMode, held: number): readonly string[] {
  return [
    ...(missingSlots === undefined ? [] : [`The backup has nothing of slots ${missingSlots}.`]),
    ...(mode === 'merge' && held > 0
      ? [`${quantity(held, 'key')} that the cluster holds are kept, also where the backup has another value.`]
      : []),
  ];
}
