import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyOwners } from '../../../src/redis/moveSlots/verifyOwners.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';

/** A server that answers CLUSTER NODES like this, or not at all. */
function server(answer?: string): NodeConnection {
  const none = (): Promise<never> => Promise.reject(new Error('not expected'));
  const takeOver = (): never => {
    throw new Error('not expected');
  };
  return {
    takeOver,
    ...{ callBuffer: none, pipeline: none, pipelineBuffer: none, close: () => undefined },
    call: () => (answer === undefined ? Promise.withResolvers<unknown>().promise : Promise.resolve(answer)),
  };
}

const elsewhere =
  'a 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-9\nb 127.0.0.1:3@4 master - 0 0 2 connected\n';

test('an operation that is to stop does not wait until all masters have heard, whether or not they answer', async () => {
  for (const other of [server(), server(elsewhere)]) {
    const stop = new AbortController();
    const begun = performance.now();
    const verified = verifyOwners({
      ...{ owner: 'b', slots: [[0, 9]], timeoutMs: 60_000, signal: stop.signal },
      masters: new Map([['a', other]]),
    });
    setTimeout(() => {
      stop.abort();
    }, 50);
    await verified;
    assert.ok(performance.now() - begun < 5000);
  }
});

test('masters that do not agree in time are named, and it is a failure', async () => {
  const question = {
    owner: 'b',
    slots: [[0, 9]],
    timeoutMs: 50,
    signal: new AbortController().signal,
  } as const;
  await assert.rejects(
    verifyOwners({ ...question, masters: new Map([['a', server(elsewhere)]]) }),
    /masters do not agree on it after 0 s: node a lists another owner for slots 0-9/,
  );
});
