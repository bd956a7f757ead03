import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { planFromFile, readPlanFile, writePlanFile } from '../../src/operations/plans/planFile.ts';
import { planRestore, probeMasters, type RestoreMode } from '../../src/operations/restore.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { withConnection } from '../../src/operations/servers/withConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { backedUp, contents, debugging, readFolder } from '../support/redis/backups.ts';
import { fill, type Write } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

/** Of what servers cannot pack. */
const large = Array.from({ length: 4_000 }, (_, index): Write => [
  'SET',
  Buffer.from(`key ${index}`),
  randomBytes(3_000),
]);

describe('a restore is refused before anything is changed', { timeout: 120_000 }, () => {
  let source: TestCluster;
  let target: TestCluster;
  let parent: string;
  let folder: string;
  before(async () => {
    source = await startRedisCluster();
    target = await startRedisCluster({ replicasPerMaster: 0, config: debugging });
    parent = await mkdtemp(join(tmpdir(), 'refused-'));
    await fill(source, large);
    folder = await backedUp(source, parent, 'shop');
  });
  after(async () => {
    await source.stop();
    await target.stop();
    await rm(parent, { recursive: true });
  });

  const everywhere = async (...command: readonly string[]): Promise<void> => {
    for (const { id } of target.nodes) await withConnection(target, id, (one) => one.call(...command));
  };
  /** As the command plans. */
  const planned = async (mode: RestoreMode, from = folder): Promise<Plan> => {
    const snapshot = await readSnapshot(target);
    const backup = await readFolder(from);
    const plan = planRestore(snapshot, backup, mode, redis);
    await probeMasters(snapshot, backup, mode !== 'replace', { dialer: target.dialer, redis });
    return plan;
  };
  /** As one that was saved and is run now. */
  const saved = async (plan: Plan): Promise<Plan> => {
    const snapshot = await readSnapshot(target);
    return planFromFile(readPlanFile(writePlanFile(plan, snapshot, new Date())), snapshot);
  };

  test('where the keys do not fit, alone or beside those that are there', async () => {
    await everywhere('CONFIG', 'SET', 'maxmemory', '3mb');
    await assert.rejects(
      planned('empty'),
      /The keys for 127\S+ take at least \d\.\d MiB, and it has 3\.0 MiB for them \(maxmemory\)\. .*Raise maxmemory, or restore into more masters\. Nothing was changed/,
    );
    await everywhere('CONFIG', 'SET', 'maxmemory', '9mb');
    const others = large.map(([verb, key, ...rest]): Write => [verb, Buffer.concat([key, key]), ...rest]);
    await fill(target, others);
    await assert.rejects(planned('merge'), /take at least .*, and it has .*Raise maxmemory first/);
    await everywhere('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await assert.rejects(planned('merge'), /It would evict keys to make room \(allkeys-lru\)/);
    assert.equal((await contents(target)).size, others.length);
    // Deleted first, they are not in the way; and what is there already needs no room.
    await everywhere('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    assert.equal((await runPlan(await planned('replace'), runPorts(target))).movedKeys, large.length);
    assert.equal((await runPlan(await planned('merge'), runPorts(target))).movedKeys, 0);
    await everywhere('CONFIG', 'SET', 'maxmemory', '0');
  });

  test('where the user may not restore, or a server does not read the format', async () => {
    const before = await contents(target);
    await everywhere('ACL', 'SETUSER', 'default', '-restore');
    for (const mode of ['merge', 'replace'] as const) {
      await assert.rejects(planned(mode), /127\S+ takes no keys: NOPERM .*restore/);
      const snapshot = await readSnapshot(target);
      const plan = await saved(planRestore(snapshot, await readFolder(folder), mode, redis));
      await assert.rejects(runPlan(plan, runPorts(target)), /takes no keys: NOPERM/);
    }
    await everywhere('ACL', 'SETUSER', 'default', '+restore');
    assert.deepEqual(await contents(target), before);
    const [{ id } = { id: '' }] = target.nodes;
    const probed = await withConnection(target, id, async (connection) => {
      const key = Buffer.from('rck8s {06S}');
      return [
        await redis.probeRestore(connection, key, [10]),
        await redis.probeRestore(connection, key, [99]),
      ];
    });
    assert.deepEqual(probed, [undefined, 'it does not read version 99 of RDB files.']);
  });

  test('where files are others than those of which a saved plan was made: no key is deleted', async () => {
    const before = await contents(target);
    const copy = await mkdtemp(join(parent, 'changed-'));
    await cp(folder, copy, { recursive: true });
    const plans = [await saved(await planned('replace', copy)), await saved(await planned('merge', copy))];
    const [file = ''] = (await readdir(copy)).filter((name) => name.endsWith('.rdb'));
    await appendFile(join(copy, file), 'x');
    for (const plan of plans)
      await assert.rejects(runPlan(plan, runPorts(target)), /cannot be read: something follows its end/);
    // Another file that is whole, of another cluster.
    const few = await startRedisCluster({ masters: 3, replicasPerMaster: 0 });
    await fill(few, large.slice(0, 10));
    const other = await backedUp(few, parent, 'few');
    await few.stop();
    const [found = ''] = (await readdir(other)).filter((name) => name.endsWith('.rdb'));
    await cp(join(other, found), join(copy, file));
    for (const plan of plans) await assert.rejects(runPlan(plan, runPorts(target)), /SHA-256 differs/);
    await rm(join(copy, 'backup.json'));
    await rm(join(copy, 'nodes.json'));
    for (const plan of plans)
      await assert.rejects(
        runPlan(plan, runPorts(target)),
        /is not what it was when the plan was made: it holds [\d,]+ keys in 3 files, and the plan restores 4,000 keys of 3 files/,
      );
    assert.deepEqual(await contents(target), before);
  });

  test('where a shard that redis-cli wrote is missing', async () => {
    const theirs = await mkdtemp(join(parent, 'theirs-'));
    const { code, stdout } = await source.cli('--cluster', 'backup', source.addresses[0] ?? '', theirs);
    assert.equal(code, 0, stdout);
    const [file = ''] = (await readdir(theirs)).filter((name) => name.endsWith('.rdb'));
    await rm(join(theirs, file));
    await assert.rejects(
      readFolder(theirs),
      /is not the whole backup: the file of 127\.0\.0\.1:\d+ \(\w{40}\) is missing/,
    );
    await writeFile(join(theirs, 'nodes.json'), '{}');
    await assert.rejects(readFolder(theirs), /nodes\.json of .* is not one that this version can read/);
  });
});
