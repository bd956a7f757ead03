import * as vscode from 'vscode';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { readBackup, type BackupFiles } from '../../operations/backups/readBackup.ts';
import { planRestore, probeMasters, type RestoreMode } from '../../operations/restore.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { folderFiles } from '../folderFiles.ts';
import type { Parts } from '../parts.ts';
import type { Asking } from '../questions/asking.ts';
import { runPlanned } from './runPlanned.ts';
import { progressText } from './runWithProgress.ts';

/** Every file is read to its end first: what is damaged changes nothing. */
export async function readFolder({ adapters }: Parts, title: string, folder: string): Promise<BackupFiles> {
  const redis = await adapters.redis();
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return await vscode.window.withProgress(options, (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => {
      stop.abort();
    });
    return readBackup(folder, {
      ...{ redis, files: folderFiles, signal: stop.signal },
      report: (step) => {
        progress.report({ message: progressText(step) });
      },
    });
  });
}

/** Writes the keys of a folder that was read into a cluster, once each master has said that it takes keys. */
export async function restoreInto(
  parts: Parts,
  asking: Asking,
  snapshot: ClusterSnapshot,
  backup: BackupFiles,
  mode: RestoreMode,
): Promise<Outcome | (Outcome & PlanResult)> {
  const redis = await parts.adapters.redis();
  const plan = planRestore(snapshot, backup, mode, redis);
  const dialer = await parts.inventory.dialer(snapshot.ref);
  await probeMasters(snapshot, backup, mode !== 'replace', { dialer, redis });
  return runPlanned(parts, {
    ...{ plan, asking, verb: 'Restore' },
    message: ({ movedKeys, comparedValues = 0, seconds, cancelled }) =>
      cancelled
        ? `Restored ${quantity(movedKeys, 'key')} of the backup; run it again to resume`
        : `Restored ${quantity(movedKeys, 'key')} into ${snapshot.name} in ${seconds.toFixed(1)} s; ${quantity(comparedValues, 'value')} compared with the files, all equal`,
  });
}
