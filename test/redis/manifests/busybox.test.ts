import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keysThat, masterOrdinalOf, readKeys, settled, startAll, writeKeys } from './cluster.ts';
import { simulatePods } from './simulatedPods.ts';

function find(program: string): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** A folder of busybox's own tools, redis-server and redis-cli: all that an image must bring. */
async function busyboxFolder(busybox: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'busybox-'));
  const { stdout } = spawnSync(busybox, ['--list'], { encoding: 'utf8' });
  for (const tool of stdout.trim().split('\n'))
    if (tool !== 'busybox') await symlink(busybox, join(folder, tool));
  for (const program of ['redis-server', 'redis-cli'])
    await symlink(find(program) ?? '', join(folder, program));
  return folder;
}

const busybox = find('busybox');

test(
  'the scripts need no more than busybox: pods form, hand over, lose all addresses and heal',
  { skip: busybox === undefined && 'busybox is not installed' },
  async () => {
    const path = await busyboxFolder(busybox ?? '');
    const pods = await simulatePods({ path, password: `p"a'ss \\ w#rd` });
    try {
      await startAll(pods, 0, 6);
      await pods.allReady(60);
      await writeKeys(pods);
      await pods.stop(0);
      assert.match(pods.agentLog(0), /failing over to .*: OK/);
      await pods.start(0);
      await pods.allReady(60);
      assert.equal(masterOrdinalOf(await pods.ownViews(), 0), 3);
      await Promise.all([0, 1, 2, 3, 4, 5].map((ordinal) => pods.kill(ordinal)));
      for (let ordinal = 0; ordinal < 6; ordinal++) await pods.start(ordinal, ((ordinal + 1) % 6) + 1);
      await pods.allReady(60);
      await settled(pods, 6);
      assert.equal(await readKeys(pods, 0), keysThat.areWritten);
    } finally {
      await pods.dispose();
      await rm(path, { recursive: true });
    }
  },
);
