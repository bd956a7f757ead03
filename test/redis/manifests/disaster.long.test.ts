import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bucketScript, scriptedCluster } from '../../support/redis/backupScript.ts';
import { contents, debugging, restored } from '../../support/redis/backups.ts';
import { hasRclone, startS3Server } from '../../support/redis/s3Server.ts';
import { startRedisCluster } from '../../support/startRedisCluster.ts';

const page = join(import.meta.dirname, '../../../docs/guides/disaster.md');
const skip = hasRclone() ? false : 'rclone is missing';

describe('after a disaster, the commands of docs/guides/disaster.md', { timeout: 300_000, skip }, () => {
  for (const password of ['', `it's "quoted" \\ $HOME #1`])
    test(`bring back a lost cluster from ${password === '' ? 'plain' : 'encrypted'} backups`, async () => {
      const s3 = await startS3Server();
      const own = await mkdtemp(join(tmpdir(), 'disaster-'));
      try {
        const secret = { ...s3.secret, ...(password === '' ? {} : { ENCRYPTION_PASSWORD: password }) };
        const { before, name } = await losing(secret);
        const lines = Object.entries(secret).map(([key, value]) => `${key}=${value}`);
        await writeFile(join(own, 's3.env'), `# The Secret.\n\n${lines.join('\n')}\n`);
        const [find = '', decrypt = '', list = '', download = ''] = await commands();
        const told = await shell(own, [
          find,
          password === '' ? '' : decrypt,
          list,
          download.replace(/^NAME=.*/m, `NAME=${name}`),
        ]);
        assert.match(told, new RegExp(`^${name}/backup\\.json$`, 'm'));
        assert.match(
          told,
          /^backup\.json\nnodes\.json\n(?:redis-node-127\.0\.0\.1-\d+-[0-9a-f]{40}\.rdb\n){3}$/m,
        );
        const other = await startRedisCluster({ masters: 4, replicasPerMaster: 0, config: debugging });
        try {
          await restored(other, join(own, name), 'empty');
          assert.deepEqual(await contents(other), before);
        } finally {
          await other.stop();
        }
      } finally {
        await rm(own, { recursive: true });
        await s3.stop();
      }
    });
});

/** A cluster with a backup in the bucket, which is lost with its volumes and with that of its backups. */
async function losing(secret: Readonly<Record<string, string>>): Promise<{
  readonly before: ReadonlyMap<string, string>;
  readonly name: string;
}> {
  const { cluster, script, close } = await scriptedCluster();
  try {
    const { backups } = await script.run();
    const copying = await bucketScript(script.folder, secret);
    const { result, log } = await copying.run();
    assert.equal(result, 'done', log);
    await copying.dispose();
    return { before: await contents(cluster), name: backups[0]?.name ?? '' };
  } finally {
    await close();
  }
}

/** What is typed at steps 2 and 3. */
async function commands(): Promise<readonly string[]> {
  const text = await readFile(page, 'utf8');
  const steps = text.slice(text.indexOf('## 2.'), text.indexOf('## 4.'));
  const blocks = [...steps.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
  assert.equal(blocks.length, 4);
  return blocks;
}

async function shell(cwd: string, blocks: readonly string[]): Promise<string> {
  const child = spawn('sh', ['-eu'], { cwd, env: { PATH: process.env['PATH'], HOME: cwd } });
  let told = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      told += piece.toString();
    });
  child.stdin.end(blocks.join('\n'));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, told);
  return told;
}
