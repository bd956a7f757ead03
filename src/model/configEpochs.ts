import type { KnownNode, NodeView } from './nodeView.ts';
import { intersectSlots, type SlotSet } from './slots.ts';

/**
 * Whether a master that takes slots now is believed by nodes that know their owner by this config epoch. It takes the
 * epoch after the greatest that it has heard of, or keeps its own where that is the greatest
 * (clusterBumpConfigEpochWithoutConsensus in the servers' cluster_legacy.c). A claim that is not newer than the old
 * owner's is taken back with the next heartbeat, and the master drops the keys that it has in the slots.
 */
export function wouldOutrank({ self, others, currentEpoch }: NodeView, epoch: number): boolean {
  const greatest = Math.max(currentEpoch, ...others.map(({ configEpoch }) => configEpoch));
  const keeps = self.configEpoch !== 0 && self.configEpoch >= greatest;
  return (keeps ? self.configEpoch : currentEpoch + 1) > epoch;
}

/** The greatest config epoch by which any of these nodes knows an owner of one of the slots; 0 where none does. */
export function epochOfOwners(views: readonly NodeView[], slots: SlotSet, except: string): number {
  const owners = views
    .flatMap(({ self, others }): readonly KnownNode[] => [self, ...others])
    .filter((line) => line.id !== except && intersectSlots(line.slots, slots).length > 0);
  return Math.max(0, ...owners.map(({ configEpoch }) => configEpoch));
}
