import type { NodeView } from '../../model/nodeView.ts';
import { hasSlot } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { parseClusterNodes } from '../nodeView.ts';
import { pause } from '../pause.ts';
import type { Lines } from './lines.ts';
import { dialReplica } from './replica.ts';

/**
 * A target that has taken slots tells its replicas by the cluster bus. Should it die before they have heard of it, whoever
 * takes its place does not claim these slots, and a source that has given them up by then does not either: nobody serves
 * them. So the source is told only once a replica has heard.
 */
export interface Heir {
  /** Waits until a replica sees the slots at the target. Rejects where neither answers. */
  hears(slots: readonly number[]): Promise<void>;
}

/** One that has not heard within this time is taken for no heir from then on; milliseconds. */
const patienceMs = 1000;
const askAgainMs = 5;

/** Begins to look for a replica; a target that has none takes slots without a witness. */
export function heirOf(lines: Pick<Lines, 'dial' | 'target'>, target: NodeView): Heir {
  const dialling = dialReplica(lines, target);
  let isHeir = true;
  return {
    hears: async (slots) => {
      const replica = await dialling;
      if (replica === undefined || !isHeir) return;
      isHeir = await hearsInTime(replica, target.self.id, slots);
      // It may be that nobody hears any more, because the target is dead: then the source has to keep the slots.
      if (!isHeir) await lines.target.call('PING');
    },
  };
}

async function hearsInTime(
  replica: NodeConnection,
  target: string,
  slots: readonly number[],
): Promise<boolean> {
  const end = performance.now() + patienceMs;
  for (let [left, wait] = [patienceMs, askAgainMs]; left > 0; wait *= 2) {
    const sees = await within(left, seesAt(replica, target, slots));
    if (sees !== false) return sees === true;
    await pause(wait);
    left = end - performance.now();
  }
  return false;
}

/** Undefined where it takes longer; milliseconds. */
async function within<T>(limit: number, answer: Promise<T>): Promise<T | undefined> {
  const answered = new AbortController();
  try {
    return await Promise.race([answer, pause(limit, answered.signal).then(() => undefined)]);
  } finally {
    answered.abort();
  }
}

/** Undefined where it does not answer. */
async function seesAt(
  replica: NodeConnection,
  target: string,
  slots: readonly number[],
): Promise<boolean | undefined> {
  const text = await replica.call('CLUSTER', 'NODES').then(String, () => undefined);
  if (text === undefined) return undefined;
  const seen = parseClusterNodes(text).others.find(({ id }) => id === target);
  return slots.every((slot) => hasSlot(seen?.slots ?? [], slot));
}
