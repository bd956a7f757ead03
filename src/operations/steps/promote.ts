import { messageOf, UserError } from '../../model/errors.ts';
import { answers, nameOf, votersOf } from '../nodes.ts';
import { promotable } from '../promote/refusals.ts';
import { takeOver } from '../promote/takeOver.ts';
import { withConnection } from '../withConnection.ts';
import type { StepRun } from './step.ts';

/** Makes a replica the master of its shard. */
export const promote: StepRun<'promote'> = {
  isDone: ({ node }, snapshot) => {
    const own = snapshot.nodes.find(({ id }) => id === node);
    return answers(own) && own.role === 'master' && own.slots.length > 0;
  },
  check: ({ node, how }, snapshot) => {
    promotable(snapshot, node, how);
  },
  act: async ({ node, how }, ports) => {
    const { snapshot, redis } = ports;
    const name = nameOf(snapshot, node);
    ports.report({ text: `${name}: becoming master` });
    const wanted = {
      heir: node,
      old: snapshot.nodes.find(({ id }) => id === node)?.masterId,
      voters: votersOf(snapshot).all.map(({ id }) => id),
      how,
    };
    try {
      await takeOver(wanted, {
        ...ports,
        withNode: (id, use) => withConnection(ports, id, use),
        readNode: (id) => withConnection(ports, id, (connection) => redis.readNodeView(connection)),
        readNodeTimeout: redis.readNodeTimeout,
      });
    } catch (error) {
      throw new UserError(
        'failed',
        `${name} is not the master of its shard: ${messageOf(error)}. Its shard is as it was.`,
      );
    }
  },
};
