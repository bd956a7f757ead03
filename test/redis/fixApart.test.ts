import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { UserError } from '../../src/model/errors.ts';
import { planFix } from '../../src/operations/fix.ts';
import { readStrayKeys } from '../../src/operations/repair/lostFacts.ts';
import { planFlush } from '../../src/operations/flush.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import { connectNode } from '../../src/redis/connect.ts';
import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { fill } from '../support/redis/fill.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { fixedWrites } from '../support/redis/toolFaults.ts';

let cluster: TestCluster;

before(async () => {
  cluster = await startRedisCluster({ config: { appendonly: 'yes', 'cluster-require-full-coverage': 'no' } });
  await fill(cluster, fixedWrites(600));
});
after(() => cluster.stop());

/** Starts all again with their keys and without what they knew of the cluster. */
async function loseIdentities(): Promise<void> {
  const files = await Promise.all(
    cluster.nodes.map(({ id }) =>
      withConnection(cluster, id, async (connection) => {
        const setting = async (name: string): Promise<string> =>
          String(((await connection.call('CONFIG', 'GET', name)) as unknown[])[1]);
        return join(await setting('dir'), await setting('cluster-config-file'));
      }),
    ),
  );
  for (const node of cluster.nodes) cluster.kill(node, 'SIGTERM');
  for (const [index, node] of cluster.nodes.entries()) {
    cluster.kill(node);
    await rm(files[index] ?? '', { force: true });
    await cluster.restart(node);
  }
}

/** By address: a server that lost its identity has another id than the test knows. */
function dialerOf({ nodes }: ClusterSnapshot): ClusterDialer {
  return {
    credentials: {},
    dial: async (id) => {
      const node = nodes.find((one) => one.id === id);
      assert.ok(node);
      return await connectNode({ host: '127.0.0.1', port: node.port }, {}, times);
    },
  };
}

const times = { connectTimeoutMs: 3000, commandTimeoutMs: 15_000 };

describe('servers that kept their keys and lost each other', { timeout: 120_000 }, () => {
  test('are not made masters of all slots: fix names who may hold them, and nothing is changed', async () => {
    await loseIdentities();
    const apart = await readAnyway(cluster);
    assert.deepEqual(
      apart.otherParts.map(({ nodes, why }) => [nodes.length, why]),
      cluster.nodes.slice(1).map(() => [1, 'lost-identity']),
    );
    const stray = await readStrayKeys(apart, dialerOf(apart));
    assert.throws(() => planFlush(apart), /is split/);
    const refused = (snapshot: ClusterSnapshot): string => {
      try {
        planFix(snapshot, stray);
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        return error.message;
      }
      throw new Error('fix was planned');
    };
    assert.match(refused(apart), /is split into 6 parts.*came back under another id.*Nothing was changed/);
    // A person who chooses a part is still told who else may hold its slots.
    const others = apart.otherParts.flatMap(({ nodes }) => nodes);
    const together = { ...apart, nodes: [...apart.nodes, ...others], otherParts: [] };
    assert.match(refused(together), /Not all others list .*: the cluster is split.*Nothing was changed/);
    for (const { host, port } of together.nodes)
      assert.ok(refused(together).includes(`${host}:${String(port)}`));
    assert.deepEqual(
      (await readAnyway(cluster)).nodes.map(({ id, slots }) => [id, slots]),
      apart.nodes.map(({ id, slots }) => [id, slots]),
    );
  });

  test('one of them that cannot be read may hold the slots as well', async () => {
    const [, , last] = cluster.nodes as readonly [ClusterNode, ClusterNode, ClusterNode];
    cluster.kill(last);
    const now = await readAnyway(cluster);
    assert.equal(now.unread.length, 1);
    const [first] = now.nodes;
    assert.ok(first);
    assert.throws(
      () => planFix({ ...now, nodes: [first], otherParts: [] }, new Map()),
      new RegExp(`${last.host}:${String(last.port)} could not be read`),
    );
  });
});
