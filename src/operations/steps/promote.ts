import { messageOf, UserError } from '../../model/errors.ts';
import type { StepOf } from '../../model/plan.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, nameOf, votersOf } from '../nodes.ts';
import { promotable } from '../promote/refusals.ts';
import { takeOver } from '../promote/takeOver.ts';
import { withConnection } from '../withConnection.ts';
import type { StepRun } from './step.ts';

/**
 * Makes a replica the master of its shard. Where it stands in a plan for several dead masters, an election that came
 * first, or a master that is back by the time of an election, leave nothing to do.
 */
export const promote: StepRun<'promote'> = {
  isDone: (step, snapshot) => {
    const own = snapshot.nodes.find(({ id }) => id === step.node);
    if (!answers(own)) return false;
    return (own.role === 'master' && own.slots.length > 0) || isServed(step, own, snapshot);
  },
  check: ({ node, how, dead }, snapshot) => {
    promotable(snapshot, node, how, dead);
  },
  act: async ({ node, how }, ports) => {
    const { snapshot, redis } = ports;
    const name = nameOf(snapshot, node);
    ports.report({ text: `${name}: becoming master` });
    const wanted = {
      candidate: node,
      old: snapshot.nodes.find(({ id }) => id === node)?.masterId,
      voters: votersOf(snapshot).all.map(({ id }) => id),
      members: snapshot.nodes.filter(answers).map(({ id }) => id),
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
        `${name} is not the master of its shard: ${messageOf(error)}. Its shard was not changed.`,
      );
    }
  },
};

function isServed({ master, how }: StepOf<'promote'>, own: RedisNode, { nodes }: ClusterSnapshot): boolean {
  if (master === undefined) return false;
  const present = nodes.find(({ id }) => id === own.masterId);
  if (!answers(present) || present.slots.length === 0) return false;
  return present.id !== master || how === 'force';
}
