import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeReader, type RedisReading } from '../../../src/inventory/nodeReader.ts';
import { DeniedCommand, LateAnswer, UserError } from '../../../src/model/errors.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { line, view } from '../sample.ts';

/** A reader of a server whose answer to CLUSTER MYID a test gives, with what was sent to it. */
function readerOf(myId: () => unknown) {
  const sent: string[] = [];
  let open = 0;
  const connection: NodeConnection = {
    call: (...command) => {
      sent.push(command.join(' '));
      const answer = myId();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    callBuffer: () => Promise.resolve(undefined),
    pipeline: () => Promise.resolve([]),
    pipelineBuffer: () => Promise.resolve([]),
    takeOver: () => {
      throw new Error('nothing here is taken over');
    },
    close: () => {
      open -= 1;
    },
  };
  const connect = (): Promise<NodeConnection> => {
    open += 1;
    return Promise.resolve(connection);
  };
  const redis: RedisReading = {
    connectNode: connect,
    connectPatiently: connect,
    readNodeView: () => Promise.resolve(view('m0', { self: line('m0', { id: 'a1' }) })),
  };
  const reader = new NodeReader(redis, () =>
    Promise.resolve({ endpoint: { host: '::1', port: 7501 }, credentials: {}, close: () => undefined }),
  );
  return { reader, sent, open: () => open };
}

test('a connection is handed out only to the node it is wanted to', async () => {
  const { reader, open } = readerOf(() => 'b1');
  await assert.rejects(reader.dial('a1'), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.reason, 'unsafe');
    assert.match(error.message, /^Node b1 now answers at \[::1\]:7501 instead of a1\. Nothing was changed/);
    return true;
  });
  assert.equal(open(), 0, 'the connection is closed');
});

test('a server that answered before is asked for the id that it had', async () => {
  const { reader, sent } = readerOf(() => 'b1');
  await reader.dial();
  assert.deepEqual(sent, [], 'nothing is known of it');
  await reader.read();
  await assert.rejects(reader.dial(), /Node b1 now answers at .* instead of a1/);
});

test('where CLUSTER MYID is forbidden the id is read as readings do', async () => {
  const { reader } = readerOf(() => new Error('NOPERM this user has no permissions'));
  await reader.dial('a1');
  await assert.rejects(reader.dial('b1'), /Node a1 now answers at .* instead of b1/);
});

test('why a server was not read is told apart', async () => {
  const reasons: unknown[] = [];
  for (const error of [
    new UserError('sign-in-needed', 'Redis asks for a password.'),
    new DeniedCommand('CLUSTER NODES is denied: NOPERM this user has no permissions'),
    new UserError('forbidden', 'Not allowed to create pods/portforward "x-0".'),
    new UserError('tls', 'Redis expects TLS.'),
    new LateAnswer('No answer within 3 s.'),
    new UserError('not-clustered', 'This server does not run in cluster mode.'),
    new UserError('unreachable', 'Redis did not answer: connect ECONNREFUSED'),
  ]) {
    const fail = (): Promise<never> => Promise.reject(error);
    const redis = { connectNode: fail, connectPatiently: fail, readNodeView: fail };
    const reader = new NodeReader(redis, () =>
      Promise.resolve({ endpoint: { path: '/x' }, credentials: {}, close: () => undefined }),
    );
    await reader.read();
    assert.equal(reader.reading.failure?.message, error.message);
    reasons.push(reader.reading.failure.reason);
  }
  assert.deepEqual(reasons, [
    ...['password', 'command', 'forbidden', 'tls', 'timeout', 'not-clustered', 'unreachable'],
  ]);
});

test('where a server refuses what a person signed in with, what was found for it is tried; the first refusal is what is said', async () => {
  const accepts = { password: 'found' };
  const tried: (string | undefined)[] = [];
  const connect: RedisReading['connectNode'] = (_endpoint, { username, password }) => {
    tried.push(password);
    if (password === accepts.password) return Promise.resolve({ close: () => undefined } as NodeConnection);
    return Promise.reject(new UserError('sign-in-needed', `rejected ${username ?? 'default'}`));
  };
  const redis: RedisReading = {
    connectNode: connect,
    connectPatiently: connect,
    readNodeView: () => Promise.resolve(view('m0')),
  };
  const readWith = async (found: { readonly password: string } | undefined): Promise<NodeReader> => {
    tried.length = 0;
    const reader = new NodeReader(redis, () =>
      Promise.resolve({
        endpoint: { host: '::1', port: 7501 },
        credentials: { username: 'ops', password: 'stored' },
        ...(found === undefined ? {} : { ifRefused: () => Promise.resolve(found) }),
        close: () => undefined,
      }),
    );
    await reader.read();
    return reader;
  };
  assert.equal((await readWith({ password: 'found' })).reading.view?.self.id, view('m0').self.id);
  assert.deepEqual(tried, ['stored', 'found']);
  for (const found of [{ password: 'another' }, undefined]) {
    const { failure } = (await readWith(found)).reading;
    assert.deepEqual([failure?.reason, failure?.message], ['password', 'rejected ops']);
  }
});
