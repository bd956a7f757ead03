import { setTimeout as sleep } from 'node:timers/promises';
import type { RunPorts } from '../../../src/operations/run/runPlan.ts';
import * as redis from '../../../src/redis/entry.ts';
import { folderFiles } from '../../../src/ui/folderFiles.ts';
import type { TestCluster } from '../startRedisCluster.ts';
import { readSnapshot } from './readSnapshot.ts';

/** What a plan needs to be run on a test cluster; a test may put its own parts in their place. */
export function runPorts(cluster: TestCluster, changes: Partial<RunPorts> = {}): RunPorts {
  return {
    readSnapshot: () => readSnapshot(cluster),
    dialer: cluster.dialer,
    redis,
    files: folderFiles,
    report: () => undefined,
    signal: new AbortController().signal,
    now: () => performance.now(),
    delay: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    ...changes,
  };
}
