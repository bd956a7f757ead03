import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demandOf } from '../../../src/inventory/demand.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';

test('a server says what it demands by how it refuses, and the connection is closed', async () => {
  const cases: readonly (readonly [string, Error | undefined, Error | undefined, string | undefined])[] = [
    ['serves anybody', undefined, undefined, 'nothing'],
    ['wants a password', new UserError('sign-in-needed', 'NOAUTH'), undefined, 'password'],
    ['speaks TLS', new UserError('tls', 'requires TLS'), undefined, 'tls'],
    ['is down', new UserError('unreachable', 'refused'), undefined, undefined],
    ['lets the default user do nothing', undefined, new Error('NOPERM no permissions'), 'password'],
    ['is in no cluster', undefined, new Error('ERR This instance has cluster support disabled'), 'nothing'],
    ['hangs up', undefined, new UserError('unreachable', 'closed'), undefined],
  ];
  for (const [what, connecting, calling, expected] of cases) {
    let closed = 0;
    const connection: Partial<NodeConnection> = {
      call: () => (calling === undefined ? Promise.resolve('cluster_state:ok') : Promise.reject(calling)),
      close: () => closed++,
    };
    const connectNode: RedisReading['connectNode'] = () =>
      connecting === undefined ? Promise.resolve(connection as NodeConnection) : Promise.reject(connecting);
    assert.equal(await demandOf({ connectNode }, { path: '/x' }, {}), expected, what);
    assert.equal(closed, connecting === undefined ? 1 : 0, what);
  }
});
