import { isAbort, messageOf, UserError } from '../../model/errors.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { answers, memberOf, nameOf, refusal } from '../servers/nodes.ts';
import { withConnection } from '../servers/withConnection.ts';
import { count, described, nodeId } from './fields.ts';
import { losesNothing, never, type StepDefinition } from './step.ts';

const pollEvery = 250;

const fields = {
  node: nodeId,
  before: described(count, 'When it had saved last, in seconds by its own clock: a later save counts.'),
};

/** Makes a master write all its keys to its disk, as a snapshot beside what it serves. */
export const saveKeys: StepDefinition<'saveKeys', typeof fields> = {
  kind: 'saveKeys',
  description: 'Makes a master write its keys to disk.',
  fields,
  example: { node: '0000000000000000000000000000000000000000', before: 1_767_225_600 },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ node }, nameOf) => `Save the keys of ${nameOf(node)} to its disk`,
  ...losesNothing,
  command: ({ node }, shell) => [shell.redis(node, 'BGSAVE', 'SCHEDULE')],
  isDone: async ({ node, before }, _snapshot, ports) =>
    (await withConnection(ports, node, lastSaveOf)) > before,
  check: ({ node }, snapshot) => {
    const own = memberOf(snapshot, node);
    const name = nameOf(snapshot, node);
    if (!answers(own)) throw refusal('unreachable', `${name} does not answer.`);
    if (own.role !== 'master') throw refusal('unsafe', `${name} is now a replica. Save the keys again.`);
  },
  act: async ({ node, before }, ports) => {
    const { signal, delay, report, snapshot } = ports;
    const name = nameOf(snapshot, node);
    await withConnection(ports, node, async (connection) => {
      await begin(connection);
      while (!signal.aborted && (await lastSaveOf(connection)) <= before) {
        const info = String(await connection.call('INFO', 'persistence'));
        const isSaving = /^rdb_bgsave_in_progress:1|^aof_rewrite_in_progress:1/m.test(info);
        if (!isSaving && /^rdb_last_bgsave_status:err/m.test(info)) {
          throw new UserError(
            'failed',
            `${name} could not write its keys to disk. Its log says why, such as a full disk. No key was changed.`,
          );
        }
        // A save within the second of the one before leaves no trace.
        if (!isSaving) await begin(connection);
        report({ text: `${name}: writing its keys to disk` });
        await delay(pollEvery, signal);
      }
    });
  },
};

/** One that waits for a rewrite of the append-only file begins after that. */
async function begin(connection: NodeConnection): Promise<void> {
  try {
    await connection.call('BGSAVE', 'SCHEDULE');
  } catch (error) {
    if (isAbort(error) || !/already in progress/i.test(messageOf(error))) throw error;
  }
}

/** When a server has saved last, in seconds by its own clock; when it started, where it never did. */
export async function lastSaveOf(connection: NodeConnection): Promise<number> {
  return Number(await connection.call('LASTSAVE'));
}
