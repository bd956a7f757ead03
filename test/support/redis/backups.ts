import { randomBytes } from 'node:crypto';
import { backUp } from '../../../src/operations/backup.ts';
import type { PlanResult } from '../../../src/operations/run/planResult.ts';
import { planRestore, type RestoreMode } from '../../../src/operations/restore.ts';
import { readBackup, type BackupFiles } from '../../../src/operations/backups/readBackup.ts';
import { runPlan, type RunPorts } from '../../../src/operations/run/runPlan.ts';
import { withConnection } from '../../../src/operations/servers/withConnection.ts';
import * as redis from '../../../src/redis/entry.ts';
import { backupFolder } from '../../../src/ui/questions/backupFolder.ts';
import { folderFiles } from '../../../src/ui/folderFiles.ts';
import type { TestCluster } from '../startRedisCluster.ts';
import { everyKind } from './everyKind.ts';
import type { Write } from './fill.ts';
import { readSnapshot } from './readSnapshot.ts';
import { runPorts } from './runPorts.ts';

export const debugging = { 'enable-debug-command': 'yes' };
export const plain = Array.from({ length: 5_000 }, (_, index): Write => [
  'SET',
  Buffer.from(`key ${index}`),
  randomBytes(index % 300),
]);

/** Those that a cluster's masters take each for its own keys. */
export function kinds(version: Parameters<typeof everyKind>[0]): readonly Write[] {
  return everyKind(version).filter(([verb]) => !/^(?:XGROUP|XREADGROUP|FUNCTION)$/.test(verb));
}

export async function backedUp(cluster: TestCluster, parent: string, name: string): Promise<string> {
  const { path, place, discard } = backupFolder(parent, name, new Date());
  await backUp(await readSnapshot(cluster), false, {
    ...{ dialer: cluster.dialer, redis, place, discard },
    readSnapshot: () => readSnapshot(cluster),
    report: () => undefined,
    signal: new AbortController().signal,
    clock: () => Date.now(),
  });
  return path;
}

export function readFolder(folder: string): Promise<BackupFiles> {
  const signal = new AbortController().signal;
  return readBackup(folder, { files: folderFiles, redis, report: () => undefined, signal });
}

export async function restored(
  cluster: TestCluster,
  folder: string,
  mode: RestoreMode,
  changes: Partial<RunPorts> = {},
): Promise<PlanResult> {
  const plan = planRestore(await readSnapshot(cluster), await readFolder(folder), mode, redis);
  return await runPlan(plan, runPorts(cluster, changes));
}

/** A digest of every key's value, by the server's own comparison: hashes and sets have no order. */
export async function contents(cluster: TestCluster): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for (const { id, role } of (await readSnapshot(cluster)).nodes) {
    if (role !== 'master') continue;
    await withConnection(cluster, id, async (connection) => {
      const keys = (await connection.callBuffer('KEYS', '*')) as Buffer[];
      const digests = await connection.pipeline(keys.map((key) => ['DEBUG', 'DIGEST-VALUE', key]));
      for (const [index, key] of keys.entries()) all.set(key.toString('latin1'), String(digests[index]));
    });
  }
  return all;
}
