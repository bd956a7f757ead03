import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backUp } from '../../src/operations/backup.ts';
import { planRestore } from '../../src/operations/restore.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { backupFolder } from '../../src/ui/questions/backupFolder.ts';
import { backedUp, contents, debugging, kinds, readFolder, restored } from '../support/redis/backups.ts';
import { fill, type Write } from '../support/redis/fill.ts';
import { readAnyway } from '../support/redis/readAnyway.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';
import { startRedisCluster, type ClusterNode, type TestCluster } from '../support/startRedisCluster.ts';

const many = Array.from({ length: 60_000 }, (_, index): Write => [
  'SET',
  Buffer.from(`key ${index}`),
  `${index}${'x'.repeat(index % 200)}`,
]);
const config = { ...debugging, 'repl-diskless-sync-delay': '0', 'cluster-node-timeout': '2000' };

describe('a cluster that changes in the middle', { timeout: 240_000 }, () => {
  let source: TestCluster;
  let parent: string;
  let folder: string;
  let original: ReadonlyMap<string, string>;
  before(async () => {
    source = await startRedisCluster({ config });
    parent = await mkdtemp(join(tmpdir(), 'midway-'));
    await fill(source, [...many, ...kinds('7.0')]);
    folder = await backedUp(source, parent, 'shop');
    original = await contents(source);
  });
  after(async () => {
    await source.stop();
    await rm(parent, { recursive: true });
  });

  const assertSame = async (cluster: TestCluster): Promise<void> => {
    const now = await contents(cluster);
    const differing = [...original].filter(([key, digest]) => now.get(key) !== digest).map(([key]) => key);
    assert.deepEqual([now.size, differing.slice(0, 5)], [original.size, []]);
  };
  const master = ({ nodes: [first] }: TestCluster): ClusterNode => first ?? assert.fail();
  const replicaOf = async (cluster: TestCluster): Promise<string> => {
    const { nodes } = await readSnapshot(cluster);
    return nodes.find(({ masterId }) => masterId === master(cluster).id)?.id ?? assert.fail();
  };

  for (const [what, change] of [
    [
      'a master is killed',
      (cluster: TestCluster) => {
        cluster.kill(master(cluster));
      },
    ],
    [
      'a master fails over',
      async (cluster: TestCluster) => {
        const replica = await replicaOf(cluster);
        await withConnection(cluster, replica, (one) => one.call('CLUSTER', 'FAILOVER'));
      },
    ],
    [
      'slots move',
      async (cluster: TestCluster) => {
        const [from, to] = cluster.nodes;
        const { code, stdout } = await cluster.cli(
          ...['--cluster', 'reshard', cluster.addresses[0] ?? '', '--cluster-yes'],
          ...['--cluster-from', from?.id ?? '', '--cluster-to', to?.id ?? '', '--cluster-slots', '300'],
        );
        assert.equal(code, 0, stdout);
      },
    ],
  ] as const) {
    test(`of a restore: ${what}, and every key is there afterwards`, async (context) => {
      await using stack = new AsyncDisposableStack();
      const target = await startRedisCluster({ config });
      stack.defer(() => target.stop());
      let changing: Promise<void> | undefined;
      const waited: string[] = [];
      const plan = planRestore(await readSnapshot(target), await readFolder(folder), 'empty', redis);
      const result = await runPlan(
        plan,
        runPorts(target, {
          readSnapshot: () => readAnyway(target),
          report: ({ done = 0, text }) => {
            if (done > 5_000) changing ??= Promise.resolve(change(target));
            if (text.includes('waiting')) waited.push(text);
          },
        }),
      );
      await changing;
      context.diagnostic(
        `${result.movedKeys} keys in ${result.seconds.toFixed(1)} s, waited ${waited.length} times`,
      );
      assert.ok((result.comparedValues ?? 0) > 300);
      if (what === 'a master is killed') await target.restart(master(target));
      await settled(target);
      await assertSame(target);
    });
  }

  test('of a backup: the server that is copied is lost, and another one is', async () => {
    const replica = await replicaOf(source);
    const node = source.nodes.find(({ id }) => id === replica) ?? assert.fail();
    const { path, place, discard } = backupFolder(parent, 'lost', new Date());
    let now = 0;
    let isKilled = false;
    await backUp(await readSnapshot(source), false, {
      ...{ dialer: source.dialer, redis, place, discard },
      readSnapshot: () => readAnyway(source),
      report: ({ done = 0 }) => {
        if (done > 0 && !isKilled) source.kill(node);
        isKilled ||= done > 0;
      },
      signal: new AbortController().signal,
      clock: () => (now += 1000),
    });
    assert.ok(isKilled);
    await source.restart(node);
    await settled(source);
    const target = await startRedisCluster({ replicasPerMaster: 0, config });
    try {
      await restored(target, path, 'empty');
      await assertSame(target);
    } finally {
      await target.stop();
    }
  });

  test('of a backup: a master is lost, and the backup is that of its successor', async () => {
    const { path, place, discard } = backupFolder(parent, 'successor', new Date());
    let places = 0;
    await backUp(await readSnapshot(source), false, {
      ...{ dialer: source.dialer, redis, discard },
      place: () => {
        places += 1;
        if (places === 1) source.kill(master(source));
        return place();
      },
      readSnapshot: () => readAnyway(source),
      report: () => undefined,
      signal: new AbortController().signal,
      clock: () => Date.now(),
    });
    assert.ok((await readdir(path)).includes('backup.json'));
    await source.restart(master(source));
    await settled(source);
    const target = await startRedisCluster({ replicasPerMaster: 0, config });
    try {
      await restored(target, path, 'empty');
      await assertSame(target);
    } finally {
      await target.stop();
    }
  });
});

/** Waits until a server that came back knows that another is the master now. */
async function settled(cluster: TestCluster): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { nodes } = await readAnyway(cluster);
    const isWell = nodes.every(({ view, health }) => view !== undefined && health === 'ok');
    const masters = nodes.filter(({ role }) => role === 'master');
    if (isWell && masters.length === 3) return;
    if (tries > 60) assert.fail('the cluster did not come back');
    await sleep(250);
  }
}
