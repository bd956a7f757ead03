import { slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { eachSlot, formatSlots, hasSlot } from '../../model/slots.ts';
import { ownerOf } from '../repair/slotCase.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeId, slots } from './fields.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

const fields = { node: nodeId, owner: nodeId, slots };

type CorrectImports = StepData<'correctImports', typeof fields>;

/** Has importing marks name the slots' owner, without which Valkey takes the slots from that one (see mistakenImports). */
export const correctImports: StepDefinition<'correctImports', typeof fields> = {
  kind: 'correctImports',
  description: 'Has importing marks name the owner of their slots.',
  fields,
  example: {
    node: '0000000000000000000000000000000000000000',
    owner: '1111111111111111111111111111111111111111',
    slots: '0-99,200',
  },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node, owner, slots }, nameOf) =>
    `Have ${nameOf(node)} import ${slotsText(slots)} (${formatSlots(slots)}) from ${nameOf(owner)}, which owns them`,
  ...losesNothing,
  command: ({ node, owner, slots }, shell) => shell.setSlots(node, slots, 'IMPORTING', owner),
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

function refuseOtherOwners({ node, owner, slots }: CorrectImports, snapshot: ClusterSnapshot): void {
  for (const slot of eachSlot(slots)) {
    if (ownerOf(snapshot, slot)?.id === owner && node !== owner) continue;
    throw refusal(
      'unsafe',
      `Slots ${formatSlots(slots)} are not all owned by ${nameOf(snapshot, owner)} any more. Heal again.`,
    );
  }
}
