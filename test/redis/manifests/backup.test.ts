import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Backup } from '../../../src/operations/backups/description.ts';
import { contents, debugging, restored } from '../../support/redis/backups.ts';
import {
  backupScript,
  descriptionOf,
  scriptedCluster,
  type BackupScript,
} from '../../support/redis/backupScript.ts';
import { readSnapshot } from '../../support/redis/readSnapshot.ts';
import { mountSmallDisk, unmount } from '../../support/redis/smallDisk.ts';
import { startRedisCluster, type TestCluster } from '../../support/startRedisCluster.ts';

describe('the script of scheduled backups', { timeout: 300_000 }, () => {
  let cluster: TestCluster;
  let script: BackupScript;
  let close: () => Promise<void>;
  let password: string;
  before(async () => {
    ({ cluster, script, password, close } = await scriptedCluster());
  });
  after(() => close());
  const left = async (): Promise<readonly string[]> => (await readdir(script.folder)).toSorted();

  test('copies replicas, names files as redis-cli does, and is restored into four masters, key by key', async () => {
    const { code, result, backups, count, log } = await script.run();
    assert.deepEqual([code, result, count], [0, 'done', 1], log);
    const [backup] = backups;
    assert.ok(backup);
    const { name, keys } = backup;
    assert.deepEqual(await left(), [name]);
    assert.match(name, /^redis-cluster-\d{8}-\d{6}$/);
    const { format, shards } = (await descriptionOf(script.folder, name)) as Backup;
    assert.equal(format, 1);
    const { nodes } = await readSnapshot(cluster);
    for (const { source, master, slots } of shards) {
      assert.equal(nodes.find(({ id }) => id === source)?.masterId, master);
      assert.match(slots, /^\d+-\d+$/);
    }
    const before = await contents(cluster);
    assert.equal(keys, before.size);
    const theirs = await mkdtemp(join(tmpdir(), 'theirs-'));
    const { stdout } = await cluster.cli('--cluster', 'backup', cluster.addresses[0] ?? '', theirs);
    const names = (files: readonly string[]): readonly string[] =>
      files.filter((file) => file !== 'backup.json').toSorted();
    assert.deepEqual(names(await readdir(join(script.folder, name))), names(await readdir(theirs)), stdout);
    const nodesIn = async (folder: string): Promise<readonly unknown[]> =>
      (JSON.parse(await readFile(join(folder, 'nodes.json'), 'utf8')) as readonly { name: string }[])
        .map((node) => node)
        .sort((a, b) => a.name.localeCompare(b.name));
    assert.deepEqual(await nodesIn(join(script.folder, name)), await nodesIn(theirs));
    await rm(theirs, { recursive: true });
    const other = await startRedisCluster({ masters: 4, replicasPerMaster: 0, config: debugging });
    try {
      await restored(other, join(script.folder, name), 'empty');
      assert.deepEqual(await contents(other), before);
    } finally {
      await other.stop();
    }
    assert.ok(!log.includes(password) && !log.includes('key 1'), log);
  });

  test('says that the volume is full, and leaves what was there', async () => {
    const disk = await mountSmallDisk(1);
    const small = await backupScript(cluster, { password, folder: disk });
    try {
      await mkdir(join(disk, 'redis-cluster-20200101-000000'));
      await writeFile(join(disk, 'redis-cluster-20200101-000000', 'data'), Buffer.alloc(700_000));
      const { result, reason, size, free } = await small.run();
      assert.equal(result, 'failed');
      assert.match(reason, /^The volume for backups is full: \d MiB of 1 MiB are free\. Enlarge it/);
      assert.ok(size === 1024 * 1024 && free < size, `${free} of ${size}`);
      assert.deepEqual(await readdir(disk), ['redis-cluster-20200101-000000']);
    } finally {
      await small.dispose();
      await unmount(disk);
    }
  });

  test('copies a master that has no replica in sync, and says so; refuses slots that are not served', async () => {
    const { nodes } = await readSnapshot(cluster);
    const replica = cluster.nodes.find(({ role }) => role === 'replica');
    const master = cluster.nodes.find(
      ({ id }) => nodes.find((node) => node.id === replica?.id)?.masterId === id,
    );
    assert.ok(replica && master);
    cluster.kill(replica);
    const copied = await script.run();
    assert.equal(copied.result, 'done', copied.log);
    assert.match(copied.reason, new RegExp(`No replica is in sync for ${master.host}:${master.port}`));
    cluster.kill(master);
    const other = cluster.nodes.find(({ id }) => id !== master.id && id !== replica.id);
    const refused = await script.run({ PORT: String(other?.port) });
    assert.match(refused.reason, /^54\d\d of 16384 hash slots, .* are on no server that answers/);
    assert.equal(refused.count, copied.count);
    await cluster.restart(master);
    await cluster.restart(replica);
  });
});
