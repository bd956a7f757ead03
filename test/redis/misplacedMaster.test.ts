import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from '../../src/checks/check.ts';
import { misplacedMaster } from '../../src/model/misplacedMaster.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';
import { folderOf } from '../support/redis/byAddress.ts';
import { fill } from '../support/redis/fill.ts';
import { healPlan } from '../support/redis/healPlan.ts';
import { nodeAt, plainWrites, until, viewOf, withNode } from '../support/redis/moveFixture.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';

let cluster: TestCluster | undefined;
after(() => cluster?.stop());

/** The type of a cluster bus packet that a debug command drops: by a master's PING a replica would follow it at once. */
const ping = '0';
const none = '-1';

/**
 * Lets the replica start where its master no longer is, and hear of the new address from the other nodes first, as
 * happens when all pods get new addresses at once.
 */
async function misplace(cluster: TestCluster, master: ClusterNode, replica: ClusterNode): Promise<void> {
  const file = join(await folderOf(cluster, replica), 'nodes.conf');
  cluster.kill(replica);
  await sleep(200);
  cluster.kill(master, 'SIGSTOP');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(`${master.id} 127.0.0.1:`, `${master.id} 127.0.0.9:`));
  await cluster.restart(replica);
  await withNode(cluster, replica, (line) => line.call('DEBUG', 'DROP-CLUSTER-PACKET-FILTER', ping));
  cluster.kill(master, 'SIGCONT');
  await until(
    async () => misplacedMaster(await viewOf(cluster, replica)) !== undefined,
    'that the replica lists its master elsewhere than it looks for it',
  );
  await withNode(cluster, replica, (line) => line.call('DEBUG', 'DROP-CLUSTER-PACKET-FILTER', none));
}

test(
  'a replica that looks for its master at an earlier address is pointed to the present one by Heal',
  { timeout: 90_000 },
  async () => {
    const config = {
      'enable-debug-command': 'yes',
      'cluster-replica-no-failover': 'yes',
      appendonly: 'yes',
      'cluster-node-timeout': '1500',
    };
    cluster = await startRedisCluster({ config });
    await fill(cluster, plainWrites(300));
    const [master, replica] = [nodeAt(cluster, 0), nodeAt(cluster, 3)];
    assert.equal((await viewOf(cluster, replica)).self.masterId, master.id);
    await misplace(cluster, master, replica);
    // It does not find it by itself, however long the cluster is well.
    await sleep(3_000);
    const snapshot = await readSnapshot(cluster);
    const found = check(snapshot).find(({ rule }) => rule === 'replica-link');
    assert.match(found?.evidence.join() ?? '', /looks for its master at 127\.0\.0\.9, and lists it at 127/);
    assert.match(found?.remedy ?? '', /“Heal Cluster…”/);
    const plan = await healPlan(cluster, snapshot);
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      ['replicate'],
    );
    assert.match(plan.title, /point 1 replica to the present address of its master/);
    await runPlan(plan, runPorts(cluster));
    const view = await viewOf(cluster, replica);
    assert.deepEqual([view.replication.linkUp, view.self.masterId], [true, master.id]);
    assert.equal(view.keys, (await viewOf(cluster, master)).keys);
    assert.deepEqual(
      check(await readSnapshot(cluster)).filter(({ rule }) => rule === 'replica-link'),
      [],
    );
  },
);

test('where the master holds less than half of the replica’s keys, a person decides', async () => {
  assert.ok(cluster);
  const [master, replica] = [nodeAt(cluster, 0), nodeAt(cluster, 3)];
  const snapshot = await readSnapshot(cluster);
  const nodes = snapshot.nodes.map((node) => {
    if (node.view === undefined) return node;
    if (node.id === master.id) return { ...node, view: { ...node.view, keys: 1 } };
    if (node.id !== replica.id) return node;
    const replication = { ...node.view.replication, linkUp: false, masterHost: '127.0.0.9' };
    return { ...node, view: { ...node.view, replication } };
  });
  await assert.rejects(
    healPlan(cluster, { ...snapshot, nodes }),
    /holds \d+ keys and its master .* 1 key: it would drop them for a copy\. You have to decide/,
  );
});
