import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { manifestFolder } from '../../support/manifestFiles.ts';

test('the exporter gets the present password and, once that changes, the next one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-'));
  const exporter = join(folder, 'exporter');
  const said = join(folder, 'said');
  const program = `#!/bin/sh\necho "$REDIS_ADDR $REDIS_PASSWORD" >>'${said}'\nexec sleep 600\n`;
  await writeFile(exporter, program);
  await chmod(exporter, 0o755);
  const env = { ...process.env, RUN: folder, EXPORTER: exporter, PAUSE: '0.1' };
  const script = spawn('sh', [join(manifestFolder, 'components/metrics/metrics.sh')], { env });
  const ended = once(script, 'exit');
  t.after(async () => {
    script.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true });
  });
  const saysLines = async (count: number): Promise<readonly string[]> => {
    for (const end = Date.now() + 30_000; Date.now() < end;) {
      const lines = (await readFile(said, 'utf8').catch(() => '')).split('\n').slice(0, -1);
      if (lines.length >= count) return lines;
      await sleep(50);
    }
    throw new Error('the exporter was not started');
  };
  await writeFile(join(folder, 'redis.conf'), 'port 0\ntls-port 6379\n');
  await writeFile(join(folder, 'password'), 'first "one"');
  const first = 'rediss://127.0.0.1:6379 first "one"';
  assert.deepEqual(await saysLines(1), [first]);
  await writeFile(join(folder, 'password.new'), 'second');
  await rename(join(folder, 'password.new'), join(folder, 'password'));
  assert.deepEqual(await saysLines(2), [first, 'rediss://127.0.0.1:6379 second']);
});
