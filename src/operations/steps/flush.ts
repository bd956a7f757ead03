import { UserError } from '../../model/errors.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { listOf, nodeId } from './fields.ts';
import { always, never, type StepData, type StepDefinition } from './step.ts';

/** Steps whose masters have said OK in this run: what clients write afterwards is not the flush's failure. */
const flushed = new WeakSet<Flush>();

const fields = { nodes: listOf(nodeId) };

type Flush = StepData<'flush', typeof fields>;

/** Deletes all keys of masters; their replicas follow (FLUSHALL is replicated). */
export const flush: StepDefinition<'flush', typeof fields> = {
  kind: 'flush',
  description: 'Deletes all keys.',
  fields,
  example: { nodes: ['0000000000000000000000000000000000000000'] },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ nodes }, nameOf) => `Delete all keys on ${nodes.map(nameOf).join(', ')}`,
  loss: ({ nodes }, nameOf) => `All keys on ${nodes.map(nameOf).join(', ')} are permanently deleted.`,
  destroys: always,
  onlyOnce: true,
  command: ({ nodes }, shell) => nodes.map((id) => shell.redis(id, 'FLUSHALL')),
  isDone: (step, { nodes }) =>
    flushed.has(step) || nodes.every(({ id, view }) => !step.nodes.includes(id) || view?.keys === 0),
  check: ({ nodes }, snapshot) => {
    for (const id of nodes) {
      const node = memberOf(snapshot, id);
      if (!answers(node)) throw refusal('unreachable', `${nameOf(snapshot, id)} does not answer.`);
      if (node.role === 'master') continue;
      throw refusal(
        'unsafe',
        `${nameOf(snapshot, id)} is now a replica, and its master has the keys. Flush again.`,
      );
    }
  },
  act: async (step, { dialer, report, snapshot, signal }) => {
    for (const id of step.nodes) {
      if (signal.aborted) {
        const left = step.nodes.slice(step.nodes.indexOf(id)).map((one) => nameOf(snapshot, one));
        throw new UserError('failed', `Cancelled; ${left.join(', ')} kept their keys.`);
      }
      report({ text: `deleting the keys of ${nameOf(snapshot, id)}` });
      await withConnection({ dialer }, id, (connection) => connection.call('FLUSHALL', 'ASYNC'));
    }
    flushed.add(step);
  },
};
