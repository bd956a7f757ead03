import type { StepOf } from '../../model/plan.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { eachSlot, formatSlots, hasSlot } from '../../model/slots.ts';
import { ownerOf } from '../heal/slotCase.ts';
import { answers, memberOf, nameOf, refusal } from '../nodes.ts';
import { withConnection } from '../withConnection.ts';
import type { StepRun } from './step.ts';

/** Has importing marks name the slots' owner, without which Valkey takes the slots from that one (see mistakenImports). */
export const correctImports: StepRun<'correctImports'> = {
  isDone: ({ node, owner, slots }, { nodes }) => {
    const marks = nodes.find(({ id }) => id === node)?.view?.self.importing;
    return marks?.every(({ slot, nodeId }) => nodeId === owner || !hasSlot(slots, slot)) === true;
  },
  check: (step, snapshot) => {
    const node = memberOf(snapshot, step.node);
    if (!answers(node) || node.role !== 'master')
      throw refusal('unsafe', `${nameOf(snapshot, step.node)} does not answer as a master. Heal again.`);
    refuseOtherOwners(step, snapshot);
  },
  act: async ({ node, owner, slots }, ports) => {
    const marks = memberOf(ports.snapshot, node).view?.self.importing ?? [];
    const wrong = marks.filter(({ slot, nodeId }) => nodeId !== owner && hasSlot(slots, slot));
    await withConnection(ports, node, (connection) =>
      ports.redis.importFrom(
        connection,
        wrong.map(({ slot }) => slot),
        owner,
      ),
    );
  },
};

function refuseOtherOwners(
  { node, owner, slots }: StepOf<'correctImports'>,
  snapshot: ClusterSnapshot,
): void {
  for (const slot of eachSlot(slots)) {
    if (ownerOf(snapshot, slot)?.id === owner && node !== owner) continue;
    throw refusal(
      'unsafe',
      `Slots ${formatSlots(slots)} are not all owned by ${nameOf(snapshot, owner)} any more. Heal again.`,
    );
  }
}
