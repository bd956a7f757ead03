import { UserError } from '../../model/errors.ts';
import { slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { eachSlot, formatSlots, intersectSlots, openSlotsIn, unionSlots } from '../../model/slots.ts';
import { openOnReplicas } from '../repair/openOnReplicas.ts';
import { judgeSlot } from '../repair/slotCase.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeId, slots } from './fields.ts';
import { losesNothing, never, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds in which replicas in step hear of it, and between two looks. */
const limit = 15_000;
const pollEvery = 250;

const fields = { node: nodeId, slots };

type CloseSlots = StepData<'closeSlots', typeof fields>;

/**
 * Closes slots on a master that owns and keeps them, and on its replicas, which refuse to be told themselves: what
 * their master is told, Valkey passes on to them, changed or not (clusterCommandSetSlot in its cluster_legacy.c).
 */
export const closeSlots: StepDefinition<'closeSlots', typeof fields> = {
  kind: 'closeSlots',
  description: 'Closes slots on the master that keeps them, or that only its replicas call open.',
  fields,
  example: { node: '0000000000000000000000000000000000000000', slots: '0-99,200' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node, slots }, nameOf) =>
    `Close ${slotsText(slots)} (${formatSlots(slots)}) on ${nameOf(node)} and its replicas`,
  ...losesNothing,
  command: ({ node, slots }, shell) => shell.setSlots(node, slots, 'STABLE'),
  isDone: areClosed,
  check: ({ node: id, slots }, snapshot) => {
    const node = memberOf(snapshot, id);
    const name = nameOf(snapshot, id);
    if (!answers(node)) throw refusal('unreachable', `${name} does not answer.`);
    if (node.role !== 'master') throw refusal('unsafe', `${name} is now a replica. Heal again.`);
    const open = intersectSlots(openSlotsIn(node.view.self), slots);
    for (const slot of eachSlot(open)) {
      const place = judgeSlot(snapshot, slot, () => false);
      if ('destination' in place && place.destination.id === id && place.closesOwner) continue;
      throw refusal('unsafe', `${name} now has slots ${formatSlots(open)} open itself. Heal again.`);
    }
  },
  act: async (step, ports) => {
    const { redis, snapshot, readSnapshot, signal, now, delay } = ports;
    await withConnection(ports, step.node, (connection) =>
      redis.closeSlots(connection, [...eachSlot(step.slots)]),
    );
    const end = now() + limit;
    while (!signal.aborted && !areClosed(step, await readSnapshot())) {
      if (now() > end) {
        throw new UserError(
          'failed',
          `${nameOf(snapshot, step.node)} or its replicas still report open slots after ${limit / 1000} s. A replica that is being synchronized learns of it afterwards: heal again then.`,
        );
      }
      await delay(pollEvery, signal);
    }
  },
};

function areClosed({ node, slots }: CloseSlots, snapshot: ClusterSnapshot): boolean {
  const master = snapshot.nodes.find(({ id }) => id === node);
  if (master === undefined) return true;
  const own = master.view === undefined ? [] : openSlotsIn(master.view.self);
  return intersectSlots(unionSlots(own, openOnReplicas(snapshot, master)), slots).length === 0;
}
