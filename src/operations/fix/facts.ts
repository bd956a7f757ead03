import { mastersOf } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { eachSlot } from '../../model/slots.ts';
import type { Argument, ClusterDialer } from '../../redis/nodeConnection.ts';
import { answers } from '../nodes.ts';
import { withConnection } from '../withConnection.ts';
import { unservedSlots } from './unserved.ts';

/** How many keys each master that answers holds in slots that nobody serves: by node id, then slot; none is absent. */
export type StrayKeys = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Asks the masters. Changes nothing. Throws where one that answered a moment ago does not any more. */
export async function readStrayKeys(snapshot: ClusterSnapshot, dialer: ClusterDialer): Promise<StrayKeys> {
  const slots = [...eachSlot(unservedSlots(snapshot).slots)];
  const masters = mastersOf(snapshot).filter((node) => answers(node));
  const counts = await Promise.all(
    masters.map(async ({ id }) => [id, await countOn(dialer, id, slots)] as const),
  );
  return new Map(counts);
}

async function countOn(
  dialer: ClusterDialer,
  id: string,
  slots: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const replies = await withConnection({ dialer }, id, (connection) =>
    connection.pipeline(slots.map((slot): Argument[] => ['CLUSTER', 'COUNTKEYSINSLOT', slot])),
  );
  const refusal = replies.find((reply) => reply instanceof Error);
  if (refusal !== undefined) throw refusal;
  return new Map(
    slots.map((slot, index) => [slot, Number(replies[index])] as const).filter(([, keys]) => keys > 0),
  );
}
