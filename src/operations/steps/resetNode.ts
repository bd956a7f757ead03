import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { answers, memberOf, refusal, replicasOf } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { nodeId } from './fields.ts';
import { always, never, noLoss, type StepDefinition } from './step.ts';

const fields = { node: nodeId };

/** Takes a server out of the cluster: it forgets all others and gets a new id (CLUSTER RESET HARD). */
export const resetNode: StepDefinition<'resetNode', typeof fields> = {
  kind: 'resetNode',
  description: 'Resets a node that has no slots and no keys.',
  fields,
  example: { node: '0000000000000000000000000000000000000000' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node }, nameOf) => `Reset ${nameOf(node)}, which has no slots and no keys`,
  loss: noLoss,
  destroys: always,
  command: ({ node }, shell) => [
    shell.redis(node, 'CLUSTER', 'RESET', 'HARD'),
    shell.redis(node, 'FLUSHALL'),
  ],
  isDone: ({ node }, snapshot) => !snapshot.nodes.some((one) => one.id === node && answers(one)),
  check: ({ node }, snapshot) => {
    refuseReset(snapshot, memberOf(snapshot, node));
  },
  act: ({ node }, { dialer, redis, snapshot }) =>
    withConnection({ dialer }, node, async (connection) => {
      // Asked of the server itself, immediately before: keys that came meanwhile are not to be lost.
      const view = await redis.readNodeView(connection);
      if (view.self.id !== node) return;
      if (view.self.slots.length > 0 || (view.replication.role === 'master' && view.keys > 0)) {
        throw new UserError(
          'unsafe',
          `${nodeName(memberOf(snapshot, node))} owns slots or holds ${quantity(view.keys, 'key')} now. It was not changed.`,
        );
      }
      await redis.leaveCluster(connection, 'HARD');
    }),
};

/** Throws a UserError where a server must not leave: it is needed, or holds what nobody else does. Changes nothing. */
export function refuseReset(snapshot: ClusterSnapshot, node: RedisNode): void {
  const name = nodeName(node);
  if (!answers(node)) throw refusal('unreachable', `${name} does not answer.`);
  if (node.slots.length > 0) throw refusal('unsafe', `${name} owns hash slots. Move them away first.`);
  const followers = replicasOf(snapshot, node.id);
  if (followers.length > 0) {
    throw refusal('unsafe', `${followers.map(nodeName).join(', ')} replicate ${name}. Move them first.`);
  }
  if (node.role === 'master') {
    if (node.view.keys === 0) return;
    throw refusal(
      'unsafe',
      `${name} holds ${quantity(node.view.keys, 'key')}. Find out whose keys these are before you reset it.`,
    );
  }
  // A replica's keys are a copy, as long as there is what they are a copy of.
  const master = snapshot.nodes.find(({ id }) => id === node.masterId);
  if (answers(master)) return;
  throw refusal(
    'unsafe',
    `The master of ${name} does not answer: ${name} may hold the last copy of its data.`,
  );
}
