import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { backUp, type BackupResult } from '../../operations/backup.ts';
import type { Parts } from '../parts.ts';
import type { BackupFolder } from '../questions/backupFolder.ts';
import { runWithProgress } from './runWithProgress.ts';

interface Copying {
  readonly snapshot: ClusterSnapshot;
  readonly evenPartly: boolean;
  readonly pausesWrites: boolean;
  readonly folder: BackupFolder;
  readonly title: string;
}

/** Copies all shards as the cluster's one operation. Undefined where it was cancelled. */
export async function copyTo(
  parts: Parts,
  { snapshot, evenPartly, pausesWrites, folder, title }: Copying,
): Promise<BackupResult | undefined> {
  const { ref } = snapshot;
  const plan = { ref, title, operation: 'backup', request: {}, steps: [], warnings: [], losses: [] };
  let isCancelled = (): boolean => false;
  try {
    return await runWithProgress(parts, plan, async (signal, report, cancelled) => {
      isCancelled = () => cancelled.aborted;
      return await backUp(snapshot, evenPartly, {
        ...{ report, signal, pausesWrites, place: folder.place, discard: folder.discard },
        clock: () => Date.now(),
        dialer: await parts.inventory.dialer(ref),
        redis: await parts.adapters.redis(),
        readSnapshot: () => parts.inventory.fresh(ref),
      });
    });
  } catch (error) {
    if (isCancelled()) return undefined;
    throw error;
  }
}
