import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';
import { readByAddress } from '../support/redis/byAddress.ts';
import { fill } from '../support/redis/fill.ts';
import { plainWrites, until, withNode } from '../support/redis/moveFixture.ts';

const ends: (() => Promise<void>)[] = [];
after(async () => {
  await Promise.all(ends.map((end) => end()));
});

async function start(settings: Readonly<Record<string, string>>): Promise<TestCluster> {
  const cluster = await startRedisCluster({ config: { 'cluster-node-timeout': '60000' } });
  ends.push(() => cluster.stop());
  await fill(cluster, plainWrites(500));
  for (const node of cluster.nodes) {
    await withNode(cluster, node, async (line) => {
      for (const [name, value] of Object.entries(settings)) await line.call('CONFIG', 'SET', name, value);
    });
  }
  return cluster;
}

function inventory(): ReturnType<typeof readByAddress> {
  const made = readByAddress();
  ends.push(() => {
    made.dispose();
    return Promise.resolve();
  });
  return made;
}

const answered = ({ nodes }: ClusterSnapshot): number =>
  nodes.filter(({ view }) => view !== undefined).length;

test(
  'nodes whose announced addresses lead nowhere are found by the host names that they announce',
  { timeout: 60_000 },
  async () => {
    const cluster = await start({
      'cluster-announce-hostname': 'localhost',
      'cluster-announce-ip': '127.255.255.254',
    });
    const ref = { addresses: [`127.0.0.1:${cluster.nodes[0]?.port ?? 0}`] };
    const own = inventory();
    await until(async () => answered(await own.look(ref)) === 6, 'that all are found by name');
    const { nodes } = await own.look(ref);
    assert.ok(nodes.slice(1).every(({ view }) => view?.self.hostname === 'localhost'));
  },
);
