import type { NodeView } from '../../model/nodeView.ts';
import { eachSlot, intersectSlots, openSlotsIn, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { closeSlots } from '../admin.ts';
import { readNodeView } from '../nodeView.ts';
import { pause } from '../../model/pause.ts';

/** How long replicas may take for their copies; one that takes longer is told when the same move is made again. Milliseconds. */
const patienceMs = 15_000;

/**
 * Closes slots that were open before a move on the replicas of one of its ends, which Valkey alone tells of them: in the
 * copies that they are made of, and by passing SETSLOT on to those that are in step. One that was being copied to while
 * the slots were handed over has heard of the first only, calls them open for good, and refuses to be told itself; what
 * its master is told it hears (clusterCommandSetSlot in Valkey's cluster_legacy.c). The move is over: no failure here is
 * one of it.
 */
export async function closeOnReplicas(
  end: NodeConnection,
  before: NodeView,
  moved: SlotSet,
  signal: AbortSignal,
): Promise<void> {
  const open = intersectSlots(openSlotsIn(before.self), moved);
  if (before.product !== 'valkey' || open.length === 0) return;
  try {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline && !signal.aborted && isCopying(await readNodeView(end))) await pause(100);
    await closeSlots(end, [...eachSlot(open)]);
  } catch {
    return;
  }
}

function isCopying({ self, others, replication }: NodeView): boolean {
  const replicas = others.filter(
    ({ masterId, flags }) => masterId === self.id && !flags.some((flag) => flag.startsWith('fail')),
  );
  return replication.replicas.filter(({ online }) => online).length < replicas.length;
}
