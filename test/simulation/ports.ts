import { setTimeout as sleep } from 'node:timers/promises';
import type { RunPorts } from '../../src/operations/run/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { snapshotOf } from './snapshot.ts';
import type { World } from './world.ts';

/** What a plan needs to run on a simulated cluster. There are no agents in it that would have to stand back. */
export function portsFor(world: World, dialer: ClusterDialer, signal: AbortSignal): RunPorts {
  return {
    readSnapshot: () => Promise.resolve(snapshotOf(world)),
    dialer,
    redis: { ...redis, pauseAgents: () => Promise.resolve({ release: () => undefined }) },
    report: () => undefined,
    signal,
    now: () => world.clock.now(),
    delay: (milliseconds, stop) => sleep(milliseconds, undefined, { signal: stop }).catch(() => undefined),
  };
}
