import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { heirOf } from '../../../src/redis/moveSlots/heir.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { line, view } from '../sample.ts';

type Answer = (command: string) => Promise<unknown>;

function connection(answer: Answer): NodeConnection {
  const say = (verb: unknown, ...rest: readonly unknown[]): Promise<unknown> =>
    answer([verb, ...rest].join(' '));
  const many = (commands: readonly (readonly unknown[])[]): Promise<unknown[]> =>
    Promise.all(commands.map(([verb, ...rest]) => say(verb, ...rest)));
  return { call: say, callBuffer: say, pipeline: many, pipelineBuffer: many, close: () => undefined };
}

/** A replica of m0 that sees m0 at these slots, by how often it was asked; undefined where it says nothing any more. */
function replica(slots: (asked: number) => string | undefined): {
  asked: number;
  connection: NodeConnection;
} {
  const state = { asked: 0 };
  return {
    get asked() {
      return state.asked;
    },
    connection: connection((command) => {
      if (command === 'READONLY') return Promise.resolve('OK');
      if (command === 'INFO replication') return Promise.resolve('role:slave\r\nmaster_link_status:up\r\n');
      const seen = slots(++state.asked);
      if (seen === undefined) return Promise.withResolvers<never>().promise;
      const self = `r0 10.0.1.0:6379@16379 myself,slave m0 0 0 1 connected`;
      return Promise.resolve(`${self}\nm0 10.0.0.0:6379@16379 master - 0 0 1 connected ${seen}\n`);
    }),
  };
}

const target = view('m0', { others: [line('r0', { flags: ['slave'], masterId: 'm0' })] });
const alive = connection(() => Promise.resolve('PONG'));
const dead = connection(() => Promise.reject(new Error('it does not answer')));
const heir = (asked: NodeConnection, ofTarget = alive): ReturnType<typeof heirOf> =>
  heirOf({ dial: () => Promise.resolve(asked), target: ofTarget }, target);

describe('whether a replica of the target has heard of its new slots', () => {
  test('is waited for', async () => {
    const slow = replica((asked) => (asked < 4 ? '0-9' : '0-12'));
    await heir(slow.connection, dead).hears([10, 11, 12]);
    assert.equal(slow.asked, 4);
  });

  test('does not matter where there is no replica', async () => {
    const alone = heirOf(
      { dial: () => Promise.reject(new Error('nobody')), target: dead },
      view('m0', { others: [] }),
    );
    await alone.hears([10]);
  });

  test('is waited for once only where it never hears, and the target answers', async () => {
    const deaf = replica(() => '0-9');
    const waiting = heir(deaf.connection);
    await waiting.hears([10]);
    const { asked } = deaf;
    assert.ok(asked > 1);
    await waiting.hears([11]);
    assert.equal(deaf.asked, asked);
  });

  test('stops the move where the target has died meanwhile: the source keeps the slots', async () => {
    await assert.rejects(heir(replica(() => undefined).connection, dead).hears([10]), /does not answer/);
  });
});
