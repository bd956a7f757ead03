import { UserError } from '../../model/errors.ts';
import type { ReplicationView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { parseReplication } from '../nodeView.ts';
import { pause } from '../../model/pause.ts';
import type { Tally } from './progress.ts';

/**
 * MIGRATE deletes a key on the source as soon as the target has it, while the target's replicas get it later: if the
 * target dies in between, the key is gone. So only so many keys may have left the source without a replica of the
 * target having acknowledged them; all others wait here. WAIT cannot say it, as it is about the caller's own writes.
 */
export interface ReplicaGate {
  /** Waits until about so many more keys may leave the source. Throws UserError where no replica keeps up. */
  enter(keys: number): Promise<Share>;
  /** Waits until a replica has all, as long as there is one. */
  settle(): Promise<void>;
}

/** One block's part of what may be under way. */
export interface Share {
  /** Notes keys that the target has taken. */
  moved(keys: number): void;
  /** Waits within a block that turns out bigger than what may be under way. */
  room(): Promise<void>;
  leave(): void;
}

export interface GateOptions {
  /** A connection to the target that nothing else uses. */
  readonly target: NodeConnection;
  /** Lets the target hear from another connection. */
  readonly nudge: () => Promise<unknown>;
  /** Whether the target had a replica before the move. */
  readonly hasReplica: boolean;
  /** How many keys may be on the target alone. */
  readonly mostKeys: number;
  readonly tally: Tally;
  readonly isOver: () => boolean;
}

/** How long a target that had replicas may be without any before the move is given up; milliseconds. */
const patienceMs = 5000;
/** From which share of `mostKeys` on replicas are asked: to ask all the time would cost servers more than it tells. */
const askFromShare = 0.25;
/** After how long a WAIT of one millisecond is over for sure; milliseconds. */
const nudgeAfterMs = 3;
/** From when on a wait is worth to be shown as a pause; milliseconds. */
const noticeableMs = 1000;

/** A gate that is always open where the target has no replica: nobody could acknowledge anything. */
export function openGate(options: GateOptions): ReplicaGate {
  return options.hasReplica ? guardedGate(options) : alwaysOpen;
}

const nothing = (): void => undefined;
const alwaysOpen: ReplicaGate = {
  enter: () => Promise.resolve({ moved: nothing, room: () => Promise.resolve(), leave: nothing }),
  settle: () => Promise.resolve(),
};

function guardedGate({ target, nudge, mostKeys, tally, isOver }: GateOptions): ReplicaGate {
  let [alone, expected] = [0, 0];
  let confirming: Promise<void> | undefined;
  let failure: Error | undefined;
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const awake = waiting;
    waiting = [];
    for (const resolve of awake) resolve();
  };
  const isWorthwhile = (): boolean => alone > 0 && (alone >= mostKeys * askFromShare || waiting.length > 0);
  const confirm = async (): Promise<void> => {
    try {
      while (isWorthwhile()) {
        const counted = alone;
        await untilReplicated(target, nudge, tally);
        alone -= counted;
        wake();
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      confirming = undefined;
      wake();
    }
  };
  const confirmSoon = (): void => {
    if (isWorthwhile()) confirming ??= confirm();
  };
  const until = async (isOpen: () => boolean): Promise<void> => {
    while (failure === undefined && !isOpen() && !isOver()) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      waiting.push(() => {
        resolve(undefined);
      });
      confirmSoon();
      await Promise.race([promise, pause(200)]);
    }
    if (failure !== undefined) throw failure;
  };
  return {
    enter: async (keys) => {
      await until(() => alone + expected === 0 || alone + expected + keys <= mostKeys);
      let own = keys;
      expected += own;
      return {
        moved: (count) => {
          if (count === 0) return;
          const taken = Math.min(own, count);
          own -= taken;
          expected -= taken;
          alone += count;
          confirmSoon();
        },
        room: () => until(() => alone <= mostKeys),
        leave: () => {
          expected -= own;
          own = 0;
          wake();
        },
      };
    },
    // All slots are handed over by then, so a replica that is gone is no reason to call the move a failure.
    settle: () => until(() => alone === 0).catch(nothing),
  };
}

/**
 * Waits until one replica has acknowledged all that the target has written so far. Replicas acknowledge once a second
 * by themselves; a WAIT for more replicas than there are makes the target ask them at once. A target that nobody else
 * has work for notices only a tenth of a second later that the WAIT is over, unless it is nudged.
 */
export async function untilReplicated(
  target: NodeConnection,
  nudge: GateOptions['nudge'],
  tally: Pick<Tally, 'pause'>,
): Promise<void> {
  const start = performance.now();
  let mark: number | undefined;
  let seen = start;
  for (let wait = 1; ; wait = Math.min(100, wait * 1.5)) {
    const asking = target.pipeline([
      ['INFO', 'replication'],
      ['WAIT', 1000, 1],
      ['INFO', 'replication'],
    ]);
    // Where this fails, so does what is asked.
    void pause(nudgeAfterMs)
      .then(nudge)
      .catch(() => undefined);
    const replies = await asking;
    mark ??= parseReplication(replies[0]).offset;
    const replication = parseReplication(replies[2]);
    if (hasAcknowledged(replication, mark)) {
      tally.pause('replica', undefined);
      return;
    }
    const now = performance.now();
    if (replication.replicas.length > 0) seen = now;
    if (now - seen > patienceMs) {
      throw new UserError(
        'unsafe',
        'The target has lost its replicas, so the keys moved last exist on the target alone. Restore a replica first. Slots move to a target without replicas only if it had none from the start.',
      );
    }
    if (now - start > noticeableMs) {
      tally.pause('replica', 'Paused: waiting for a replica of the target to catch up.');
    }
    await pause(wait);
  }
}

function hasAcknowledged({ replicas }: ReplicationView, offset: number): boolean {
  return replicas.some((replica) => replica.online && replica.offset >= offset);
}
