import { messageOf, UserError } from '../../model/errors.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { linesAbout } from '../../model/goneMembers.ts';
import { refuseNeeded } from '../refusals/forgetting.ts';
import { answers, nameOf } from '../servers/nodes.ts';
import type { StepPorts } from './ports.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeId } from './fields.ts';
import { always, never, noLoss, type StepDefinition } from './step.ts';

/** Milliseconds in which everybody is told: a node refuses for 60 s to hear of one it forgot, and then others' gossip counts. */
const limit = 45_000;
const pollEvery = 250;

const fields = { node: nodeId };

/** Lets all nodes that answer forget one, and makes sure that none has heard of it from another meanwhile. */
export const forget: StepDefinition<'forget', typeof fields> = {
  kind: 'forget',
  description: 'Makes every node that answers forget a node.',
  fields,
  example: { node: '0000000000000000000000000000000000000000' },
  isSaved: true,
  mayBeUndone: true,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node }, nameOf) => `Make all other nodes forget ${nameOf(node)}`,
  loss: noLoss,
  destroys: always,
  command: ({ node }, shell) => shell.others(node).map((id) => shell.redis(id, 'CLUSTER', 'FORGET', node)),
  isDone: ({ node }, snapshot) => linesAbout(snapshot, node).length === 0,
  check: ({ node }, snapshot) => {
    refuseNeeded(snapshot, node);
  },
  act: async ({ node }, ports) => {
    const { now, delay, signal, report, readSnapshot } = ports;
    const end = now() + limit;
    report({ text: `forgetting ${nameOf(ports.snapshot, node)}` });
    let reading = ports.snapshot;
    for (;;) {
      const those = reading.nodes.filter(
        (one) => answers(one) && one.id !== node && one.view.others.some(({ id }) => id === node),
      );
      const refused = (await Promise.all(those.map(({ id }) => forgetOn(id, node, ports)))).flat();
      reading = await readSnapshot();
      if (linesAbout(reading, node).length === 0 || signal.aborted) return;
      if (now() > end) throw lasting(reading, node, refused);
      await delay(pollEvery, signal);
    }
  },
};

function forgetOn(member: string, node: string, ports: StepPorts): Promise<readonly string[]> {
  return withConnection(ports, member, async (connection) => {
    try {
      await connection.call('CLUSTER', 'FORGET', node);
      return [];
    } catch (error) {
      return /unknown node/i.test(messageOf(error)) ? [] : [messageOf(error)];
    }
  });
}

function lasting(snapshot: ClusterSnapshot, node: string, refused: readonly string[]): UserError {
  const holders = snapshot.nodes.filter(({ view }) => view?.others.some(({ id }) => id === node));
  return new UserError(
    'failed',
    `${holders.map(({ id }) => nameOf(snapshot, id)).join(', ')} still list node ${node} after ${limit / 1000} s. ${refused.join(' ')} Nothing else was changed; forget it again.`,
  );
}
