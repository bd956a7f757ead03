import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseWay } from '../../../src/redis/moveSlots/chooseWay.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';

interface Server {
  readonly knows: 'migration' | 'migrateslots' | 'neither';
  readonly user?: string;
  readonly rights?: (command: string) => unknown;
}

function server({ knows, user = '', rights = () => 'OK' }: Server): NodeConnection {
  const known = (name: string): unknown => (name === knows ? [name] : null);
  return {
    call: (verb: string) =>
      Promise.resolve(
        verb === 'COMMAND' ? [known('migration'), known('migrateslots')] : ['masteruser', user],
      ),
    pipeline: (commands: readonly (readonly string[])[]) =>
      Promise.resolve(commands.map(([, , who, command = '']) => (who === 'repl' ? rights(command) : 'OK'))),
  } as unknown as NodeConnection;
}

const denied = (word: string) => (command: string) =>
  command === word ? `User repl has no permissions to run the '${command}' command` : 'OK';

test('servers move slots by themselves where both can, and where their user for replication may', async () => {
  const valkey = { knows: 'migrateslots', user: 'repl' } as const;
  const redis = { knows: 'migration', user: 'repl' } as const;
  const gone = () => new Error("ERR User 'repl' not found");
  const unknown = () => new Error('NOPERM');
  for (const [source, target, way] of [
    [{ knows: 'neither' }, { knows: 'neither' }, 'migrate'],
    [valkey, { knows: 'neither' }, 'migrate'],
    [valkey, redis, 'migrate'],
    [valkey, valkey, 'valkeyAtomic'],
    [valkey, { ...valkey, rights: denied('CLUSTER') }, 'migrate'],
    [valkey, { ...valkey, rights: denied('SET') }, 'migrate'],
    [valkey, { ...valkey, rights: gone }, 'migrate'],
    [valkey, { ...valkey, rights: unknown }, 'valkeyAtomic'],
    [{ ...valkey, user: '' }, { ...valkey, rights: denied('SET') }, 'valkeyAtomic'],
    [redis, redis, 'redisAtomic'],
    [{ ...redis, rights: denied('SET') }, redis, 'redisAtomic'],
    [{ ...redis, rights: denied('CLUSTER') }, redis, 'migrate'],
  ] as const) {
    assert.equal(await chooseWay({}, server(source), server(target)), way, JSON.stringify([source, target]));
  }
  assert.equal(await chooseWay({ method: 'migrate' }, server(valkey), server(valkey)), 'migrate');
});
