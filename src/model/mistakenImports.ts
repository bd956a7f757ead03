import { mastersOf } from './shards.ts';
import { hasSlot } from './slots.ts';
import type { ClusterSnapshot, RedisNode } from './snapshot.ts';

/** A slot that a master imports from a master that does not own it. */
export interface MistakenImport {
  readonly slot: number;
  readonly named: RedisNode;
  readonly owner: RedisNode;
}

/**
 * Slots that a master of Valkey imports from another master than their owner. As soon as that one's slots change, by any
 * move or failover, and it does not claim the slot, the importing master takes it with a new config epoch, and the owner
 * drops its keys (clusterUpdateSlotsConfigWith in Valkey's cluster_legacy.c, since 8.0). Redis does not.
 */
export function mistakenImports(
  { id, role, view }: RedisNode,
  snapshot: ClusterSnapshot,
): readonly MistakenImport[] {
  if (view?.product !== 'valkey' || role !== 'master') return [];
  const masters = mastersOf(snapshot).filter((node) => node.view !== undefined);
  return view.self.importing.flatMap(({ slot, nodeId }) => {
    const owners = masters.filter(({ slots }) => hasSlot(slots, slot));
    const [owner] = owners;
    const named = masters.find((node) => node.id === nodeId);
    if (owner === undefined || owners.length > 1 || owner.id === id || named === undefined) return [];
    return owner === named ? [] : [{ slot, named, owner }];
  });
}
