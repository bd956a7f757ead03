import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { folderPrefix, removeLeftFolders } from '../../../src/ui/questions/leftFolders.ts';

test('folders of processes that have ended are removed, and no others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'left-'));
  try {
    const { pid } = spawnSync('true');
    const own = `${basename(folderPrefix())}abc`;
    const left = `redis-cli-${hostname()}-${pid}-abc`;
    const others = [
      `redis-cli-elsewhere-${pid}-abc`,
      `redis-cli-${hostname()}-x`,
      'redis-cli-1',
      `other-${pid}-a`,
    ];
    for (const name of [own, left, ...others]) await mkdir(join(folder, name));
    await writeFile(join(folder, left, 'key'), 'KEY');
    await removeLeftFolders(folder);
    assert.deepEqual((await readdir(folder)).sort(), [own, ...others].sort());
    await removeLeftFolders(join(folder, 'nowhere'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
