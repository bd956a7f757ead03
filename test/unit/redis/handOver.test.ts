import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handOver, type Ends } from '../../../src/redis/moveSlots/handOver.ts';
import type { Argument, NodeConnection } from '../../../src/redis/nodeConnection.ts';

/** A connection that answers OK to all it is sent in one write, and remembers it. */
function recorded(): { readonly sent: string[]; readonly connection: NodeConnection } {
  const sent: string[] = [];
  const pipeline = (commands: readonly (readonly Argument[])[]): Promise<readonly unknown[]> => {
    sent.push(...commands.map((command) => command.map(String).join(' ')));
    return Promise.resolve(commands.map(() => 'OK'));
  };
  const none = (): Promise<never> => Promise.reject(new Error('not expected'));
  const takeOver = (): never => {
    throw new Error('not expected');
  };
  const unused = { call: none, callBuffer: none, takeOver, close: () => undefined };
  return { sent, connection: { ...unused, pipeline, pipelineBuffer: pipeline } };
}

function ends(target: NodeConnection, more: Partial<Ends>): Ends {
  return { source: recorded().connection, target, from: 'a', to: 'b', ...more };
}

test('a Redis target gets a block in one transaction, in which only the last slot is open when it is assigned', async () => {
  const { sent, connection } = recorded();
  await handOver(ends(connection, { inOne: true }), [7, 8]);
  assert.deepEqual(sent, [
    'MULTI',
    'CLUSTER SETSLOT 7 STABLE',
    'CLUSTER SETSLOT 7 NODE b',
    'CLUSTER SETSLOT 8 IMPORTING a',
    'CLUSTER SETSLOT 8 NODE b',
    'EXEC',
  ]);
});

test('a Valkey target, which has connections to share them, gets no transaction: 8.1 crashes of it', async () => {
  const [one, other] = [recorded(), recorded()];
  await handOver(ends(one.connection, { moreOfTarget: [other.connection] }), [7, 8]);
  assert.deepEqual([...one.sent, ...other.sent], ['CLUSTER SETSLOT 7 NODE b', 'CLUSTER SETSLOT 8 NODE b']);
});
