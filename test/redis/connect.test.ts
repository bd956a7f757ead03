import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { after, before, test } from 'node:test';
import { UserError, type UserErrorReason } from '../../src/model/errors.ts';
import { connectNode } from '../../src/redis/connect.ts';
import { pauseAgentOver } from '../../src/redis/admin.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';

const password = 'open sesame';
const times = { connectTimeoutMs: 2000, commandTimeoutMs: 2000 };
let cluster: TestCluster;
let node: ClusterNode;
before(async () => {
  cluster = await startRedisCluster({ masters: 0, spares: 2, password });
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('a server');
  node = first;
});
after(() => cluster.stop());

function isUserError(reason: UserErrorReason): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.reason, reason);
    assert.doesNotMatch(inspect(error, { depth: 10 }), /sesame|wrong word/);
    return true;
  };
}

test('a server that wants another password, or any, asks to sign in', async () => {
  await assert.rejects(connectNode(node, {}, times), isUserError('sign-in-needed'));
  await assert.rejects(connectNode(node, { password: 'wrong word' }, times), isUserError('sign-in-needed'));
  await assert.rejects(
    connectNode(node, { username: 'nobody', password }, times),
    isUserError('sign-in-needed'),
  );
});

test('a password that nobody asked for does no harm', async () => {
  const open = await startRedisCluster({ masters: 0, spares: 1 });
  try {
    const [server] = open.nodes;
    assert.ok(server !== undefined);
    const connection = await connectNode(server, { password }, times);
    assert.equal(await connection.call('PING'), 'PONG');
    connection.close();
  } finally {
    await open.stop();
  }
});

test('replies come as Redis sends them', async () => {
  const connection = await connectNode(node, { username: 'default', password }, times);
  await connection.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  while ((await readNodeView(connection)).clusterState !== 'ok');
  const key = Buffer.of(0xff, 0x00, 0xc3, 0x28);
  assert.equal(await connection.call('SET', key, Buffer.of(0xfe)), 'OK');
  assert.deepEqual(await connection.callBuffer('GET', key), Buffer.of(0xfe));
  assert.equal(await connection.call('GET', 'missing'), null);
  const replies = await connection.pipeline([['STRLEN', key], ['NOSUCH'], ['EXISTS', key, 'x']]);
  assert.deepEqual([replies[0], replies[1] instanceof Error], [1, true]);
  assert.match(String(replies[1]), /unknown command/);
  assert.match(String(replies[2]), /CROSSSLOT/);
  await assert.rejects(connection.call('LPUSH', key, 'x'), /^Error: WRONGTYPE/);
  connection.close();
  await assert.rejects(connection.call('PING'), isUserError('unreachable'));
});

test('a server that does not answer or dies is unreachable, and nothing waits for it', async () => {
  const [, second] = cluster.nodes;
  assert.ok(second !== undefined);
  const connection = await connectNode(second, { password }, times);
  cluster.kill(second, 'SIGSTOP');
  await assert.rejects(connection.call('PING'), isUserError('unreachable'));
  cluster.kill(second, 'SIGKILL');
  await assert.rejects(connection.pipeline([['PING']]), isUserError('unreachable'));
  await assert.rejects(connectNode(second, { password }, times), isUserError('unreachable'));
  connection.close();
});

test('a server whose agent is paused shows that by the name of a connection, until it is released', async () => {
  const connection = await connectNode(node, { password }, times);
  const names = async (): Promise<readonly number[]> =>
    [...String(await connection.call('CLIENT', 'LIST')).matchAll(/ name=rck8s-hold-(\d+) /g)].map(([, end]) =>
      Number(end),
    );
  const pause = await pauseAgentOver(await connectNode(node, { password }, times));
  const [end = 0] = await names();
  assert.ok(Math.abs(end - Date.now() / 1000 - 30) < 5);
  pause.release();
  while ((await names()).length > 0);
  connection.close();
});

test('a server without cluster mode is told apart', async () => {
  const single = await startRedisCluster({
    masters: 0,
    spares: 1,
    config: { 'cluster-enabled': 'no' },
  }).catch((error: unknown) => error);
  assert.ok(isUserError('not-clustered')(single));
  assert.match(String(single), /does not run in cluster mode/);
});
