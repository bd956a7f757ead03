import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { parseClusterNodes } from '../../src/redis/clusterNodes.ts';
import { startChaosClient } from '../support/chaosClient.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

let cluster: TestCluster;

before(async () => {
  cluster = await startRedisCluster();
});
after(() => cluster.stop());

/** Whether another master sees that a replica has taken the first one's place. */
async function isReplaced(): Promise<boolean> {
  const [dead, other] = cluster.nodes;
  const text = await withConnection(cluster, other?.id ?? '', (one) => one.call('CLUSTER', 'NODES'));
  return parseClusterNodes(String(text)).others.some(
    ({ id, slots }) => id !== dead?.id && slots.some(([start]) => start === 0),
  );
}

describe('what the writing client of the tests calls lost', { timeout: 120_000 }, () => {
  test('keys that a server drops', async () => {
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    await withConnection(cluster, cluster.nodes[0]?.id ?? '', (one) => one.call('FLUSHALL'));
    const { missing, acknowledged } = await chaos.stop();
    assert.ok(missing > 0, `of ${acknowledged} writes`);
  });

  test('not a write that it gave up on and that is sent again after newer ones', async () => {
    const chaos = await startChaosClient({ nodes: cluster.nodes });
    const [master] = cluster.nodes;
    assert.ok(master);
    // A server that hangs keeps the connection, on which a write is waiting.
    cluster.kill(master, 'SIGSTOP');
    while (!(await isReplaced())) await sleep(100);
    await sleep(4000);
    cluster.kill(master);
    await sleep(2000);
    const { losses, errors, acknowledged } = await chaos.stop();
    assert.match(errors.join(), /Command timed out/);
    assert.ok(acknowledged > 100);
    assert.deepEqual(losses, []);
  });
});
