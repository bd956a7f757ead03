import { countSlots } from '../../../model/slots.ts';
import type { Shard } from '../../../model/snapshot.ts';

/** The colour each node's shard had last, by node id: what a panel remembers from one snapshot to the next. */
export type ShardColours = ReadonlyMap<string, number>;

/**
 * Gives each shard a colour of its own and keeps it: while slots move, and through a failover, where the promoted
 * replica inherits its old shard's colour. Returns what to remember; a shard's colour stands at its id.
 */
export function colourShards(shards: readonly Shard[], before: ShardColours = new Map()): ShardColours {
  const given = new Map<string, number>();
  const taken = new Set<number>();
  const bySize = [...shards].sort((a, b) => countSlots(b.slots) - countSlots(a.slots));
  for (const { id } of bySize) {
    const colour = before.get(id);
    if (colour === undefined || taken.has(colour)) continue;
    given.set(id, colour);
    taken.add(colour);
  }
  for (const { id } of shards) {
    if (given.has(id)) continue;
    let colour = 0;
    while (taken.has(colour)) colour++;
    given.set(id, colour);
    taken.add(colour);
  }
  const replicas = shards.flatMap((shard) =>
    shard.replicas.map((replica): [string, number] => [replica.id, given.get(shard.id) ?? 0]),
  );
  return new Map([...before, ...replicas, ...given]);
}
