import { epochOfOwners, wouldOutrank } from '../../model/configEpochs.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { slotsText } from '../../model/shards.ts';
import { eachSlot, formatSlots, subtractSlots } from '../../model/slots.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { readPossibleOwners } from '../repair/lostFacts.ts';
import { nothingElse, refusePossibleOwners } from '../repair/possibleOwners.ts';
import { notUnserved } from '../repair/unserved.ts';
import { answers, memberOf, nameOf, refusal, refuseUnread } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import type { StepPorts } from './ports.ts';
import { presumedText } from './promote.ts';
import type { Shell } from './shell.ts';
import { listOf, nodeId, optional, slots } from './fields.ts';
import { always, never, type StepData, type StepDefinition } from './step.ts';

/** Milliseconds in which all nodes have heard of it by gossip, and between two looks. */
const limit = 15_000;
const pollEvery = 250;

const fields = { node: nodeId, slots, dead: optional(listOf(nodeId), 'Nodes that a person says are dead.') };

type AssignSlots = StepData<'assignSlots', typeof fields>;

/** Gives slots that nobody serves to a master, and waits until every node that answers sees them there. */
export const assignSlots: StepDefinition<'assignSlots', typeof fields> = {
  kind: 'assignSlots',
  description: 'Gives slots that no master serves to a master.',
  fields,
  example: { node: '0000000000000000000000000000000000000000', slots: '0-99,200' },
  isSaved: true,
  mayBeUndone: true,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node, slots, dead }, nameOf) =>
    `${nameOf(node)} takes ${slotsText(slots)} (${formatSlots(slots)}), which no master serves${presumedText(dead, nameOf)}`,
  loss: ({ slots }) =>
    `Keys in slots ${formatSlots(slots)} that are only on servers that do not answer are lost.`,
  destroys: always,
  command: assignCommands,
  isDone: isAssigned,
  check: async (step, snapshot, { kubernetes }) => {
    const { node: id, dead } = step;
    refuseUnread(snapshot);
    const node = memberOf(snapshot, id);
    const name = nameOf(snapshot, id);
    if (!answers(node)) throw refusal('unreachable', `${name} does not answer.`);
    if (node.role !== 'master') throw refusal('unsafe', `${name} is now a replica. Run Fix again.`);
    const served = notUnserved(snapshot, step);
    if (served.length > 0) {
      throw refusal(
        'unsafe',
        `Slots ${formatSlots(served)} are now served, or can be served, by other nodes. Run Fix again.`,
      );
    }
    const facts = kubernetes && (await readPossibleOwners(snapshot, kubernetes.access, kubernetes.readNode));
    refusePossibleOwners(snapshot, facts ?? nothingElse, dead);
  },
  act: async (step, ports) => {
    const { redis, report, snapshot, readSnapshot, signal, now, delay } = ports;
    report({ text: `${nameOf(snapshot, step.node)} takes slots ${formatSlots(step.slots)}` });
    await withConnection(ports, step.node, async (connection) => {
      await untilOutranks(step, ports, connection);
      await redis.takeSlots(connection, step.node, [...eachSlot(step.slots)]);
    });
    const end = now() + limit;
    while (!signal.aborted && now() < end && !isAssigned(step, await readSnapshot())) {
      await delay(pollEvery, signal);
    }
  },
};

/** The epoch first: others believe a claim only if it is newer than that of the one who is lost. */
function assignCommands({ node, slots }: AssignSlots, shell: Shell): readonly string[] {
  return [shell.redis(node, 'CLUSTER', 'BUMPEPOCH'), ...shell.setSlots(node, slots, 'NODE', node)];
}

/** Others know the lost owner by a config epoch, of which the master has to have heard to be believed. */
async function untilOutranks(
  { node, slots }: AssignSlots,
  { snapshot, redis, now, delay, signal }: StepPorts,
  connection: NodeConnection,
): Promise<void> {
  const views = snapshot.nodes.flatMap(({ view }) => (view === undefined ? [] : [view]));
  const epoch = epochOfOwners(views, slots, node);
  const end = now() + limit;
  while (!wouldOutrank(await redis.readNodeView(connection), epoch)) {
    if (now() > end || signal.aborted) {
      throw refusal(
        'unsafe',
        `${nameOf(snapshot, node)} has not heard of the config epoch ${epoch} by which others know the last owner of slots ${formatSlots(slots)}, so they would not believe it and it would drop its keys there. No slot of this step was changed. Fix again.`,
      );
    }
    await delay(pollEvery, signal);
  }
}

function isAssigned({ node, slots }: AssignSlots, { nodes }: ClusterSnapshot): boolean {
  const lines = nodes.flatMap(({ view }) =>
    view === undefined ? [] : [view.self, ...view.others].filter(({ id }) => id === node),
  );
  const isOwn = nodes.some(({ id, view }) => id === node && view !== undefined);
  return isOwn && lines.every((line) => subtractSlots(slots, line.slots).length === 0);
}
