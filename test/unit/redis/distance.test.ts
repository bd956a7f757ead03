import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { distanceTo, farMs } from '../../../src/redis/moveSlots/distance.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';

/** A server that answers after these milliseconds, the last of them from then on. */
function serverAfter(...delays: readonly number[]): { connection: NodeConnection; asked: () => number } {
  let asked = 0;
  const call = async (): Promise<string> => {
    await sleep(delays[asked++] ?? delays.at(-1));
    return 'PONG';
  };
  const unused = (): never => assert.fail('only PING is needed');
  const connection = {
    call,
    callBuffer: unused,
    pipeline: unused,
    pipelineBuffer: unused,
    takeOver: unused,
    close: unused,
  };
  return { connection, asked: () => asked };
}

test('a server behind a tunnel is as far as its answer, and one question is enough where connecting was slow too', async () => {
  const { connection, asked } = serverAfter(20);
  const distance = await distanceTo(connection, 22);
  assert.ok(distance > 18, `${distance} ms`);
  assert.equal(asked(), 1);
});

test('a busy moment does not make a near server far', async () => {
  const { connection } = serverAfter(20, 0);
  assert.ok((await distanceTo(connection, 2)) < farMs);
});
