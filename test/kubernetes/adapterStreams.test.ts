import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import { connectNode } from '../../src/redis/connect.ts';
import type { NodeConnection } from '../../src/redis/nodeConnection.ts';
import { startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

const times = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 };

let fixture: AdapterFixture;
let access: KubernetesAccess;
let namespace: string;

before(async () => {
  fixture = await startAdapterFixture();
  ({ access, namespace } = fixture);
});

after(() => fixture.stop());

async function connect(
  pod: string,
): Promise<{ connection: NodeConnection; close: () => void; path: string }> {
  const forward = await access.forward(namespace, pod, 6379);
  const connection = await connectNode({ path: forward.path }, {}, times);
  return {
    connection,
    path: forward.path,
    close: () => {
      connection.close();
      forward.close();
    },
  };
}

test('a forwarded port is a socket only this user can reach, and carries much both ways', async () => {
  const { connection, path, close } = await connect('server');
  try {
    assert.equal(await connection.call('PING'), 'PONG');
    if (process.platform !== 'win32') assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    const value = Buffer.alloc(8_000_000, 'redis');
    await connection.call('SET', 'big', value);
    assert.deepEqual(await connection.callBuffer('GET', 'big'), value);
    const replies = await connection.pipeline(Array.from({ length: 5_000 }, (_, index) => ['ECHO', index]));
    assert.deepEqual(replies[4_999], '4999');
    const second = await connectNode({ path }, {}, times);
    assert.equal(await second.call('PING'), 'PONG');
    second.close();
  } finally {
    close();
  }
  await assert.rejects(connectNode({ path }, {}, times));
});

test('when the pod goes, its local connections end at once', async () => {
  await access.apply(fixture.redisPod('doomed'));
  await fixture.readyPod('doomed');
  const { connection, close } = await connect('doomed');
  try {
    const waiting = assert.rejects(connection.call('PING').then(() => connection.call('BLPOP', 'never', 0)));
    assert.equal(await access.delete('v1', 'Pod', namespace, 'doomed'), true);
    const deleted = performance.now();
    await waiting;
    const ended = performance.now() - deleted;
    assert.ok(ended < 10_000, `the connection stayed for ${ended} ms`);
    assert.equal(await access.delete('v1', 'Pod', namespace, 'nobody'), false);
  } finally {
    close();
  }
});

test('a pod that is not there, or a port nobody listens on, is no forward to rely on', async () => {
  await fixture.rejected(access.forward(namespace, 'nobody', 6379), 'not-found', /pods.*"nobody".*not found/);
  const dead = await access.forward(namespace, 'server', 6399);
  await assert.rejects(connectNode({ path: dead.path }, {}, times));
  dead.close();
  await assert.rejects(access.forward(namespace, 'server', 6379, AbortSignal.abort()), {
    name: 'AbortError',
  });
});

test('no forward stays that was being opened when its context was closed, or is asked for later', async () => {
  const { contexts } = loadKubeconfigs([fixture.kubeconfig]);
  const context = contexts.find(({ name }) => name === fixture.context);
  assert.ok(context);
  const other = openContext(context);
  const opening = assert.rejects(other.forward(namespace, 'server', 6379));
  other.close();
  await opening;
  await assert.rejects(other.forward(namespace, 'server', 6379));
});

test('a program runs in a pod with a terminal of the size asked for', async () => {
  let output = '';
  const session = await access.exec(namespace, 'server', 'redis', ['sh'], (data) => {
    output += data;
  });
  session.resize(132, 43);
  await sleep(300);
  session.write('stty size; tty; exit 7\n');
  assert.deepEqual(await session.done, { exitCode: 7 });
  assert.match(output, /43 132/);
  assert.match(output, /\/dev\/pts/);
  await fixture.rejected(
    access.exec(namespace, 'server', 'nobody', ['sh'], () => undefined),
    'invalid-input',
    /container nobody is not valid/,
  );
  const closed = await access.exec(namespace, 'server', 'redis', ['sleep', '60'], () => undefined);
  closed.close();
  assert.deepEqual(await closed.done, { exitCode: 129 });
});

test('a log comes from its last lines and goes on until it is stopped', async () => {
  const stop = new AbortController();
  let text = '';
  const reading = access.logs(
    namespace,
    'server',
    'redis',
    { tailLines: 1 },
    (more) => {
      text += more;
    },
    stop.signal,
  );
  await until(() => (text.includes('Ready to accept') ? true : undefined));
  assert.equal(text.trim().split('\n').length, 1);
  const { connection, close } = await connect('server');
  await connection.call('BGREWRITEAOF');
  await until(() => (/rewriting/i.test(text) ? true : undefined));
  close();
  stop.abort();
  await reading;
  await fixture.rejected(
    access.logs(
      namespace,
      'nobody',
      'redis',
      { tailLines: 1 },
      () => undefined,
      new AbortController().signal,
    ),
    'not-found',
    /nobody/,
  );
});
