import type { Outcome } from '../../model/outcome.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf, numberAnswer, rowTarget } from '../questions/target.ts';
import type { RowTarget } from '../tree/row.ts';

/** Opens the map of the cluster's 16,384 hash slots, at the slots of the node or range that it was started from. */
export async function openSlotMap(parts: Parts, argument: unknown): Promise<Outcome> {
  const ref = await clusterOf(parts, argument);
  const target = rowTarget(parts, argument);
  const slot = target?.kind === 'slot' ? target.slot : numberAnswer(answersOf(parts, argument), 'slot');
  await parts.openSlotMap(ref, slot ?? firstSlotOf(parts, target));
  return { outcome: 'done', message: `The slot map of ${parts.inventory.titleOf(ref)} is open.` };
}

function firstSlotOf(parts: Parts, target: RowTarget | undefined): number | undefined {
  if (target?.kind !== 'node') return undefined;
  const nodes = parts.inventory.snapshot(target.ref)?.nodes ?? [];
  const node = nodes.find(({ id }) => id === target.nodeId);
  const master = nodes.find(({ id }) => id === node?.masterId) ?? node;
  return master?.slots[0]?.[0];
}
