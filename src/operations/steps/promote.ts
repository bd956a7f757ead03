import { messageOf, UserError } from '../../model/errors.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, nameOf, votersOf } from '../servers/nodes.ts';
import { promotable } from '../refusals/promoting.ts';
import { takeOver } from '../failover/takeOver.ts';
import { withConnection } from '../servers/withConnection.ts';
import { listOf, nodeId, oneOf, optional } from './fields.ts';
import { never, type NameOf, type StepData, type StepDefinition } from './step.ts';

const fields = {
  node: nodeId,
  how: oneOf('handOver', 'force', 'takeover'),
  master: optional(nodeId, 'Whose place it takes; nothing is left to do once that has another master.'),
  dead: optional(listOf(nodeId), 'Masters that a person says are dead.'),
};

type Promote = StepData<'promote', typeof fields>;

/**
 * Makes a replica the master of its shard. Where it stands in a plan for several dead masters, an election that came
 * first, or a master that is back by the time of an election, leave nothing to do.
 */
export const promote: StepDefinition<'promote', typeof fields> = {
  kind: 'promote',
  description: 'Makes a replica the master of its shard.',
  fields,
  example: { node: '0000000000000000000000000000000000000000', how: 'handOver' },
  isSaved: true,
  mayBeUndone: true,
  needsAgents: never,
  shownBy: 'snapshot',
  text: promoteText,
  loss: ({ node, how }, nameOf) =>
    how === 'handOver' ? undefined : `Writes that have not reached ${nameOf(node)} from its master are lost.`,
  destroys: ({ how }) => how !== 'handOver',
  command: ({ node, how }, shell) => [
    shell.redis(
      node,
      'CLUSTER',
      'FAILOVER',
      ...{ handOver: [], force: ['FORCE'], takeover: ['TAKEOVER'] }[how],
    ),
  ],
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

function promoteText({ node, how, master, dead }: Promote, nameOf: NameOf): string {
  const name = nameOf(node);
  const place = master === undefined ? 'its master' : nameOf(master);
  const text = {
    handOver: `Fail over to ${name}`,
    force: `Have ${name} elected in place of ${place}`,
    takeover: `Have ${name} take the place of ${place} without an election`,
  }[how];
  return text + presumedText(dead, nameOf);
}

/** On whose word nodes count as dead. */
export function presumedText(dead: readonly string[] | undefined, nameOf: NameOf): string {
  return dead === undefined ? '' : `; confirmed as dead by a person: ${dead.map(nameOf).join(', ')}`;
}

function isServed({ master, how }: Promote, own: RedisNode, { nodes }: ClusterSnapshot): boolean {
  if (master === undefined) return false;
  const present = nodes.find(({ id }) => id === own.masterId);
  if (!answers(present) || present.slots.length === 0) return false;
  return present.id !== master || how === 'force';
}
