import { nodeAt, until, viewOf, withNode } from '../redis/moveFixture.ts';
import type { VSCodeUnderTest } from '../launchVSCode.ts';
import type { TestCluster } from '../startRedisCluster.ts';

/** A move of 3,000 slots that stands still for as long as a test looks at it. */
export interface PausedMove {
  /** The second master's limit: at `100mb` it is too full to be given slots, at `0` it is not. */
  readonly limitMemory: (maxmemory: string) => Promise<unknown>;
  /** Begins the move to the second master, which is too full, and waits until that is seen. */
  readonly beginPaused: () => Promise<void>;
  /** Lets it go on until slots are open, keeps those open while that is looked at, and pauses it again. */
  readonly whileOpen: (look: () => Promise<void>) => Promise<void>;
  /** Whether an operation holds the pods' agents back, which ends with it. */
  readonly isHeld: () => Promise<boolean>;
}

export function pausedMoveOf(servers: () => TestCluster, vscode: () => VSCodeUnderTest): PausedMove {
  const limitMemory: PausedMove['limitMemory'] = (maxmemory) =>
    withNode(servers(), nodeAt(servers(), 1), (connection) =>
      connection.call('CONFIG', 'SET', 'maxmemory', maxmemory),
    );
  return {
    limitMemory,
    beginPaused: async () => {
      await limitMemory('100mb');
      await vscode().evaluate(
        ({ commands }, argument) => {
          void commands.executeCommand('redisCluster.reshard', argument);
        },
        {
          ...{ cluster: { addresses: servers().addresses }, from: [nodeAt(servers(), 0).id] },
          ...{ to: nodeAt(servers(), 1).id, slots: 3000, limits: { memoryPercent: 1 } },
          // What an earlier one left is not meant.
          startOver: true,
        },
      );
      await vscode()
        .treeRow(/Paused · 0 of 3,000 slots · Reshard.*Paused: the target uses/)
        .waitFor({ timeout: 20_000 });
    },
    whileOpen: async (look) => {
      const target = nodeAt(servers(), 1);
      await limitMemory('0');
      await until(async () => (await viewOf(servers(), target)).self.importing.length > 0, 'slots are open');
      // No key arrives meanwhile.
      await withNode(servers(), target, (one) => one.call('CLIENT', 'PAUSE', '4000', 'WRITE'));
      await look();
      await limitMemory('100mb');
      await withNode(servers(), target, (one) => one.call('CLIENT', 'UNPAUSE'));
    },
    isHeld: async () => {
      const list = await withNode(servers(), nodeAt(servers(), 0), (one) => one.call('CLIENT', 'LIST'));
      return String(list).includes('rck8s-hold');
    },
  };
}
