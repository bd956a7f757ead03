import { messageOf, UserError } from '../../model/errors.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { answers, memberOf, nameOf, refusal } from '../nodes.ts';
import type { StepPorts } from './ports.ts';
import type { StepRun } from './step.ts';
import { withConnection } from '../withConnection.ts';

/** Functions (Redis 7) belong to every master of their own: a new one has none until somebody copies them. */
export const copyFunctions: StepRun<'copyFunctions'> = {
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
