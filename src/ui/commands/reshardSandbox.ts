import type { Outcome } from '../../model/outcome.ts';
import { mastersOf } from '../../model/shards.ts';
import { countSlots } from '../../model/slots.ts';
import type { Parts } from '../parts.ts';
import { sandboxOf } from '../questions/target.ts';
import { reshard } from './reshard.ts';

const slots = 1000;

/** Moves 1,000 slots of the sandbox from the master with the most to the one with the fewest, on the slot map. */
export async function reshardSandbox(parts: Parts): Promise<Outcome> {
  const cluster = sandboxOf(parts);
  await parts.openSlotMap(cluster);
  const masters = [...mastersOf(await parts.inventory.fresh(cluster))].sort(
    (one, other) => countSlots(other.slots) - countSlots(one.slots),
  );
  const [from, to] = [masters[0], masters.at(-1)];
  return await reshard(parts, { cluster, from: from?.id, to: to?.id, slots, startOver: true });
}
