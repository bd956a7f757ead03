import { quantity } from '../../model/quantity.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { grantsNoMore, hashOf, isUser, readUser, rulesFor, writeUser } from '../users/onServer.ts';
import { operatorName } from '../users/rules.ts';
import { withConnection } from '../servers/withConnection.ts';
import { newPasswordOf, type StepPorts } from './ports.ts';
import { listOf, nodeId, matching } from './fields.ts';
import { losesNothing, never, noCommand, type StepData, type StepDefinition } from './step.ts';

const fields = { user: matching(operatorName, 'the name of a user'), nodes: listOf(nodeId) };

type CreateUser = StepData<'createUser', typeof fields>;

/** Creates a user on every server. It may be used only when all have it, so a part of them is no harm: it runs again. */
export const createUser: StepDefinition<'createUser', typeof fields> = {
  kind: 'createUser',
  description: 'Creates a user with only the commands that this extension uses.',
  fields,
  example: { user: 'redis-cluster-operator', nodes: ['0000000000000000000000000000000000000000'] },
  isSaved: false,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ user, nodes }) =>
    `Create user ${user} on ${quantity(nodes.length, 'server')} with only the commands that this extension uses`,
  ...losesNothing,
  command: noCommand,
  isDone: async (step, _snapshot, ports) => {
    const hash = hashOf(newPasswordOf(ports));
    const are = await onEach(step, ports, async (connection, where) => {
      const known = await readUser(connection, where, step.user);
      return known !== undefined && isUser(known, await rulesFor(connection, where), hash);
    });
    return are.every(Boolean);
  },
  check: async (step, snapshot, ports) => {
    for (const id of step.nodes) {
      if (!answers(memberOf(snapshot, id)))
        throw refusal('unreachable', `${nameOf(snapshot, id)} does not answer.`);
    }
    await onEach(step, ports, async (connection, where) => {
      const known = await readUser(connection, where, step.user);
      if (known === undefined || grantsNoMore(known, await rulesFor(connection, where))) return;
      throw refusal('unsafe', `User "${step.user}" on ${where} has been given other rights meanwhile.`);
    });
  },
  act: async (step, ports) => {
    const hash = hashOf(newPasswordOf(ports));
    let done = 0;
    await onEach(step, ports, async (connection, where) => {
      ports.signal.throwIfAborted();
      await writeUser(connection, where, step.user, await rulesFor(connection, where), hash);
      const total = step.nodes.length;
      ports.report({ text: `Create user ${step.user}`, done: ++done, total, unit: 'servers' });
    });
  },
};

async function onEach<T>(
  { nodes }: CreateUser,
  ports: StepPorts,
  use: (connection: Parameters<Parameters<typeof withConnection>[2]>[0], where: string) => Promise<T>,
): Promise<readonly T[]> {
  return await Promise.all(
    nodes.map((id) => withConnection(ports, id, (one) => use(one, nameOf(ports.snapshot, id)))),
  );
}
