import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  bucketScript,
  killAll,
  scriptedCluster,
  type BackupScript,
  type ScriptedCluster,
} from '../../support/redis/backupScript.ts';
import { contents, debugging, restored } from '../../support/redis/backups.ts';
import { hasRclone, startS3Server, type S3Server } from '../../support/redis/s3Server.ts';
import { mountSmallDisk, unmount } from '../../support/redis/smallDisk.ts';
import { startRedisCluster } from '../../support/startRedisCluster.ts';

const skip = hasRclone() ? false : 'rclone is missing';
const password = 'a "password" of \\ mine';

describe('the script that copies backups to a bucket', { timeout: 900_000, skip }, () => {
  let s3: S3Server;
  let origin: ScriptedCluster;
  let script: BackupScript;
  let volume: string;
  /** The backup that was taken. */
  let name: string;
  before(async () => {
    s3 = await startS3Server();
    origin = await scriptedCluster();
    volume = origin.script.folder;
    const { backups } = await origin.script.run();
    name = backups[0]?.name ?? '';
    script = await bucketScript(volume, s3.secret);
  });
  after(async () => {
    await script.dispose();
    await origin.close();
    await s3.stop();
  });
  const bucket = (...path: string[]): string => join(s3.bucket, 'redis-cluster', ...path);
  const empty = async (): Promise<void> => {
    for (const entry of await readdir(s3.bucket)) await rm(join(s3.bucket, entry), { recursive: true });
  };
  // Not synchronously: the proxy is in this process.
  const download = async (env: Readonly<Record<string, string>>, from: string, to: string): Promise<void> => {
    const remote = { RCLONE_CONFIG_S3_TYPE: 's3', RCLONE_CONFIG_S3_PROVIDER: 'Other' };
    await promisify(execFile)('rclone', ['copy', from, to], {
      env: { PATH: process.env['PATH'], ...s3.secret, ...env, ...remote },
    });
  };
  const comesBack = async (folder: string): Promise<void> => {
    const other = await startRedisCluster({ masters: 5, replicasPerMaster: 0, config: debugging });
    try {
      await restored(other, folder, 'empty');
      assert.deepEqual(await contents(other), await contents(origin.cluster));
    } finally {
      await other.stop();
    }
  };

  test('copies a backup that is whole after it was downloaded, and copies none twice', async () => {
    const { code, result, count, backups, log } = await script.run();
    assert.deepEqual([code, result, count], [0, 'done', 1], log);
    assert.equal(backups[0]?.name, name);
    assert.ok((backups[0].keys ?? 0) > 5000);
    assert.match(log, new RegExp(`copied ${name}`));
    const again = await script.run({ READ_BACK: 'yes' });
    assert.match(again.log, /copied nothing: the bucket has all/);
    const to = await mkdtemp(join(tmpdir(), 'download-'));
    await download({}, `s3:backups/redis-cluster/${name}`, to);
    assert.deepEqual((await readdir(to)).toSorted(), (await readdir(join(volume, name))).toSorted());
    await comesBack(to);
    await rm(to, { recursive: true });
    for (const secret of Object.values(s3.secret).slice(2)) assert.ok(!log.includes(secret));
    await empty();
  });

  test('encrypts what it copies, which opens with the same password only', async () => {
    const encrypted = { ENCRYPTION_PASSWORD: password, READ_BACK: 'yes' };
    const { result, log, backups } = await script.run(encrypted);
    assert.deepEqual([result, backups[0]?.name], ['done', name], log);
    for (const file of await readdir(bucket(name))) {
      const head = (await readFile(bucket(name, file))).subarray(0, 6).toString();
      assert.deepEqual([head, file.endsWith('.bin')], ['RCLONE', true], file);
    }
    const wrong = await script.run({ ENCRYPTION_PASSWORD: 'another' });
    assert.match(wrong.reason, /were encrypted with another password|unexpected EOF/);
    const to = await mkdtemp(join(tmpdir(), 'download-'));
    const obscured = spawnSync('rclone', ['obscure', '-'], { input: password }).stdout.toString().trim();
    const crypt = {
      RCLONE_CONFIG_ENCRYPTED_TYPE: 'crypt',
      RCLONE_CONFIG_ENCRYPTED_REMOTE: 's3:backups/redis-cluster',
      RCLONE_CONFIG_ENCRYPTED_FILENAME_ENCRYPTION: 'off',
      RCLONE_CONFIG_ENCRYPTED_DIRECTORY_NAME_ENCRYPTION: 'false',
      RCLONE_CONFIG_ENCRYPTED_PASSWORD: obscured,
    };
    await download(crypt, `encrypted:${name}`, to);
    await comesBack(to);
    await rm(to, { recursive: true });
    assert.ok(!log.includes(password));
    await empty();
  });

  test('says what is wrong: the secret, the key, the bucket, the address', async () => {
    const cases = [
      [{ RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: 'wrong' }, /refuses the credentials.*403/],
      [{ RCLONE_CONFIG_S3_ACCESS_KEY_ID: 'unknown' }, /does not know the access key|refuses the credentials/],
      [{ S3_BUCKET: 'none' }, /There is no bucket none, or/],
      [{ S3_BUCKET: '' }, /has no S3_BUCKET/],
      [{ RCLONE_CONFIG_S3_ENDPOINT: 'http://127.0.0.1:1' }, /cannot be read: .*refused/],
    ] as const;
    for (const [env, reason] of cases) {
      const run = await script.run(env);
      assert.deepEqual([run.result, run.code], ['failed', 1], run.log);
      assert.match(run.reason, reason);
      assert.ok(!run.reason.includes(s3.secret['RCLONE_CONFIG_S3_SECRET_ACCESS_KEY'] ?? ''));
    }
    assert.deepEqual(await readdir(s3.bucket), []);
  });

  test('leaves no backup.json where the connection is cut off, or it is stopped or killed, and completes it', async () => {
    await big(join(volume, name));
    s3.cutAfter = 2_000_000;
    const cut = await script.run();
    assert.equal(cut.result, 'failed', cut.log);
    assert.match(cut.reason, /was not copied to the bucket backups: /);
    assert.ok(!(await isWhole()));
    s3.cutAfter = Infinity;
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const wait of [200, 500, 900]) {
        const run = await script.start();
        await sleep(wait);
        if (signal === 'SIGKILL') killAll(run);
        else run.process.kill(signal);
        await run.ended;
        if (signal === 'SIGTERM' && run.report()?.result === 'failed')
          assert.match(run.report()?.reason ?? '', /stopped before it was complete/);
        if (await isWhole()) await rm(bucket(name, 'backup.json'));
      }
    }
    const { result, count, log } = await script.run({ READ_BACK: 'yes' });
    assert.deepEqual([result, count], ['done', 1], log);
    await rm(join(volume, name, 'big.rdb'));
    await empty();
  });
  const isWhole = async (): Promise<boolean> =>
    (await stat(bucket(name, 'backup.json')).catch(() => undefined)) !== undefined;

  test('keeps the newest, removes what is too old or left over, and never the last; two runs at once are harmless', async () => {
    const old = ['20200101-000000', '20200102-000000', '20200103-000000'].map((at) => `redis-cluster-${at}`);
    for (const each of old) await cp(join(volume, name), join(volume, each), { recursive: true });
    const both = await Promise.all([script.run(), script.run()]);
    for (const { result, count, log } of both) assert.deepEqual([result, count], ['done', 4], log);
    await mkdir(bucket('redis-cluster-20190101-000000'));
    await writeFile(bucket('redis-cluster-20190101-000000', 'half.rdb'), 'half');
    await mkdir(bucket('other-20190101-000000'));
    await writeFile(bucket('other-20190101-000000', 'backup.json'), '{\n}\n');
    const three = await script.run({ KEEP: '3' });
    assert.deepEqual(
      three.backups.map((backup) => backup.name),
      [name, old[2], old[1]],
      three.log,
    );
    assert.deepEqual((await readdir(bucket())).toSorted(), ['other-20190101-000000', old[1], old[2], name]);
    const refused = await script.run({ KEEP: '1', RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: 'wrong' });
    assert.equal(refused.result, 'failed');
    assert.equal((await script.run({ KEEP: '3' })).count, 3, 'a run that fails removes nothing');
    assert.equal((await script.run({ KEEP_DAYS: '1' })).count, 1);
    await rm(join(volume, name), { recursive: true });
    const last = await script.run({ KEEP: '1', KEEP_DAYS: '1' });
    assert.deepEqual(
      last.backups.map((backup) => backup.name),
      [name],
      'the last one stays although the volume has only older ones',
    );
    await cp(bucket(name), join(volume, name), { recursive: true });
    for (const each of old) await rm(join(volume, each), { recursive: true });
    await empty();
  });

  test('copies nothing that is damaged on the volume, and says that a storage is full', async () => {
    const [file = ''] = (await readdir(join(volume, name))).filter((each) => each.endsWith('.rdb'));
    const path = join(volume, name, file);
    const bytes = await readFile(path);
    await writeFile(path, Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]));
    const { result, reason } = await script.run();
    assert.equal(result, 'failed');
    assert.match(reason, /is damaged on the volume/);
    assert.deepEqual(await readdir(s3.bucket), []);
    await writeFile(path, bytes);
    const disk = await mountSmallDisk(8);
    const small = await startS3Server(disk);
    try {
      await big(join(volume, name));
      const full = await script.run(small.secret);
      assert.equal(full.result, 'failed');
      assert.match(full.reason, /is full\. Enlarge it/, full.log);
      const found = await readdir(join(small.bucket, 'redis-cluster', name)).catch(
        (): readonly string[] => [],
      );
      assert.ok(!found.includes('backup.json'));
    } finally {
      await small.stop();
      await unmount(disk);
    }
  });
});

/** As large as takes a moment to send. Not in backup.json, so its content does not matter. */
async function big(folder: string): Promise<void> {
  await writeFile(join(folder, 'big.rdb'), randomBytes(30_000_000));
}
