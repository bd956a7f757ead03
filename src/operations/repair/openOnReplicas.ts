import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { openSlotsIn, subtractSlots, unionSlots, type SlotSet } from '../../model/slots.ts';
import { answers, replicasOf } from '../servers/nodes.ts';

/** Slots that replicas of a master call open and the master itself does not. */
export function openOnReplicas(snapshot: ClusterSnapshot, master: RedisNode): SlotSet {
  const open = replicasOf(snapshot, master.id)
    .filter(answers)
    .map(({ view }) => openSlotsIn(view.self));
  const own = master.view === undefined ? [] : openSlotsIn(master.view.self);
  return subtractSlots(unionSlots(...open), own);
}
