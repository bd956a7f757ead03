import { messageOf, UserError } from '../../model/errors.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import type { StepPorts } from './ports.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeId, nodeIdOrNone, objectName, optional } from './fields.ts';
import { losesNothing, never, type StepDefinition } from './step.ts';

const fields = { from: nodeId, to: nodeIdOrNone, pod: optional(objectName) };

/** Functions (Redis 7) belong to every master of their own: a new one has none until somebody copies them. */
export const copyFunctions: StepDefinition<'copyFunctions', typeof fields> = {
  kind: 'copyFunctions',
  description: 'Copies functions from one master to another.',
  fields,
  example: { from: '0000000000000000000000000000000000000000', to: '', pod: 'shop-6' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ from, to, pod }, nameOf) => `Copy functions, if any, from ${nameOf(from)} to ${pod ?? nameOf(to)}`,
  ...losesNothing,
  command: ({ from, to }, shell) => [
    `${shell.redis(from, '--raw', 'FUNCTION', 'DUMP')} | head -c -1 | ${shell.redis(to, '-x', 'FUNCTION', 'RESTORE')}`,
  ],
  withNodes: (step, nodeIn) => (step.pod === undefined ? step : { ...step, to: nodeIn(step.pod) }),
  isDone: async ({ from, to }, _snapshot, ports) => {
    const [theirs, own] = await Promise.all([from, to].map((id) => librariesOf(id, ports)));
    return theirs === own;
  },
  check: async ({ from, to }, snapshot, ports) => {
    for (const id of [from, to]) {
      const node = memberOf(snapshot, id);
      if (!answers(node)) throw refusal('unreachable', `${nameOf(snapshot, id)} does not answer.`);
      if (node.role !== 'master') throw refusal('unsafe', `${nameOf(snapshot, id)} is a replica.`);
    }
    if ((await librariesOf(to, ports)) !== noLibraries) {
      throw refusal('unsafe', `${nameOf(snapshot, to)} has different functions of its own.`);
    }
  },
  act: async ({ from, to }, ports) => {
    const dump = await withConnection(ports, from, (source) => source.callBuffer('FUNCTION', 'DUMP'));
    if (!Buffer.isBuffer(dump)) throw new UserError('failed', 'FUNCTION DUMP returned no data.');
    await withConnection(ports, to, (target) => target.call('FUNCTION', 'RESTORE', dump));
  },
};

const noLibraries = '[]';

/** The libraries with their code as one text, the same for servers that have the same. */
function librariesOf(id: string, ports: StepPorts): Promise<string> {
  return withConnection(ports, id, listed);
}

async function listed(connection: NodeConnection): Promise<string> {
  try {
    const libraries = await connection.call('FUNCTION', 'LIST', 'WITHCODE');
    const texts = Array.isArray(libraries) ? libraries.map((one) => JSON.stringify(one)).sort() : [];
    return JSON.stringify(texts);
  } catch (error) {
    // Before Redis 7 there are none.
    if (/unknown command/i.test(messageOf(error))) return noLibraries;
    throw error;
  }
}
