import type { Step } from '../../model/plan.ts';
import { mastersOf, nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots, openSlotsIn, subtractSlots, unionSlots, type SlotSet } from '../../model/slots.ts';
import { answers, replicasOf } from '../nodes.ts';

/** Slots that replicas of a master call open and the master itself does not. */
export function openOnReplicas(snapshot: ClusterSnapshot, master: RedisNode): SlotSet {
  const open = replicasOf(snapshot, master.id)
    .filter(answers)
    .map(({ view }) => openSlotsIn(view.self));
  const own = master.view === undefined ? [] : openSlotsIn(master.view.self);
  return subtractSlots(unionSlots(...open), own);
}

/**
 * Only replicas of Valkey know of open slots. One that was being copied to while slots moved has heard of their opening
 * in its copy and not of their end; promoted it would send clients to where the keys are no more.
 */
export function repairReplicas(snapshot: ClusterSnapshot): readonly Step[] {
  return mastersOf(snapshot).flatMap((master): readonly Step[] => {
    const slots = openOnReplicas(snapshot, master);
    if (!answers(master) || master.view.product !== 'valkey' || slots.length === 0) return [];
    const text = `Close ${slotsText(slots)} (${formatSlots(slots)}) on the replicas of ${nodeName(master)}`;
    return [{ kind: 'closeSlots', node: master.id, slots, text }];
  });
}
