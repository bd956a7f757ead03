import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysThat, readKeys, settled, startAll, until, writeKeys } from './cluster.ts';
import { simulatePods } from './simulatedPods.ts';

const all = [0, 1, 2, 3, 4, 5];

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

test('a configuration that turns the append-only file on starts from dump.rdb, not empty', async () => {
  let configuration = 'appendonly no\nsave 3600 1';
  const pods = await simulatePods({ configuration: () => configuration });
  const data = (ordinal: number, file: string): string => join(pods.folder(ordinal), 'data', file);
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    await Promise.all(all.map((ordinal) => pods.stop(ordinal)));
    configuration = '';
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.equal(await readKeys(pods, 0), keysThat.areWritten);
    await until(async () => {
      const left = await Promise.all(all.map((ordinal) => exists(data(ordinal, '.switch-append-only-on'))));
      return left.includes(true) ? undefined : true;
    });
    for (const ordinal of all)
      assert.equal(await pods.ask(ordinal, ['CONFIG', 'GET', 'appendonly']), 'appendonly\nyes\n');
    await Promise.all(all.map((ordinal) => pods.kill(ordinal)));
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await settled(pods, 6);
    assert.equal(await readKeys(pods, 0), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});

test('a server that loads its data is alive and started, but not ready', async () => {
  let configuration = '';
  const pods = await simulatePods({ configuration: () => configuration });
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await writeKeys(pods);
    // In the file that a rewrite makes, where the server looks at its clients after each of such keys while loading.
    const large = Array.from(
      { length: 300 },
      (_, i) => `SET large:${i} ${randomBytes(1500).toString('hex')}`,
    );
    await pods.ask(0, ['-c'], `${large.join('\n')}\n`);
    await pods.ask(1, ['BGREWRITEAOF']);
    await until(async () => {
      const info = await pods.ask(1, ['INFO', 'persistence']);
      return /aof_rewrite_in_progress:0\r[^]*aof_rewrite_scheduled:0\r/.test(info) ? true : undefined;
    });
    await pods.kill(1);
    // Microseconds for each key: about 30 seconds for a third of the keys.
    configuration = 'key-load-delay 150000\nloading-process-events-interval-bytes 1024';
    await pods.start(1);
    await until(async () => ((await pods.ask(1, ['PING'])).startsWith('LOADING') ? true : undefined));
    assert.equal(await pods.probe(1, 'alive.sh'), true);
    assert.equal(await pods.probe(1, 'ready.sh'), false);
    await until(async () => ((await pods.probe(1, 'started.sh')) ? true : undefined));
    assert.match(await pods.ask(1, ['PING']), /^LOADING/);
    await pods.allReady(120);
    await settled(pods, 6);
    assert.equal(await readKeys(pods, 0), keysThat.areWritten);
  } finally {
    await pods.dispose();
  }
});

test('a server waits while another one still uses its volume', async () => {
  const pods = await simulatePods();
  const running = (): Promise<boolean> =>
    pods.ask(0, ['PING']).then(
      (answer) => answer.startsWith('PONG'),
      () => false,
    );
  try {
    await pods.start(0);
    await until(async () => ((await running()) ? true : undefined));
    await pods.kill(0);
    const other = spawn('flock', [join(pods.folder(0), 'data', '.in-use'), 'cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    other.stdin.write('locked\n');
    await once(other.stdout, 'data');
    await pods.start(0);
    await until(() =>
      pods.serverLog(0).includes('another server still uses this volume') ? true : undefined,
    );
    await sleep(500);
    assert.equal(await running(), false);
    other.stdin.end();
    await until(async () => ((await running()) ? true : undefined));
  } finally {
    await pods.dispose();
  }
});
