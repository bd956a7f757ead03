import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backup } from '../../../src/operations/backups/description.ts';
import {
  descriptionOf,
  scriptedCluster,
  killAll,
  type BackupScript,
} from '../../support/redis/backupScript.ts';
import { readSnapshot } from '../../support/redis/readSnapshot.ts';
import type { TestCluster } from '../../support/startRedisCluster.ts';

describe('the script of scheduled backups, disturbed', { timeout: 300_000 }, () => {
  let cluster: TestCluster;
  let script: BackupScript;
  let close: () => Promise<void>;
  before(async () => {
    ({ cluster, script, close } = await scriptedCluster());
  });
  after(() => close());
  const left = async (): Promise<readonly string[]> => (await readdir(script.folder)).toSorted();
  const empty = async (): Promise<void> => {
    for (const name of await readdir(script.folder)) await rm(join(script.folder, name), { recursive: true });
  };

  test('keeps so many, removes what is too old, and never the last', async () => {
    await empty();
    const { backups } = await script.run();
    const name = backups[0]?.name ?? '';
    // As if they had been taken earlier.
    for (const at of ['20200101-000000', '20200102-000000', '20200103-000000']) {
      await mkdir(join(script.folder, `redis-cluster-${at}`));
      const file = await readFile(join(script.folder, name, 'backup.json'));
      await writeFile(join(script.folder, `redis-cluster-${at}`, 'backup.json'), file);
    }
    await mkdir(join(script.folder, 'somebody-elses-20200101-000000'));
    await sleep(1000);
    const kept = await script.run({ KEEP: '3' });
    assert.deepEqual(
      kept.backups.map((backup) => backup.name),
      [kept.backups[0]?.name, name, 'redis-cluster-20200103-000000'],
    );
    await sleep(1000);
    const young = await script.run({ KEEP: '9', KEEP_DAYS: '1' });
    assert.equal(young.count, 3);
    assert.ok(!(await left()).includes('redis-cluster-20200103-000000'));
    const refused = await script.run({ KEEP: '1', REDISCLI_AUTH: 'wrong' });
    assert.equal(refused.result, 'failed');
    assert.match(refused.reason, /WRONGPASS|NOAUTH/);
    assert.equal(refused.count, 3, 'a run that fails removes nothing');
    assert.ok((await left()).includes('somebody-elses-20200101-000000'));
    await empty();
  });

  test('leaves nothing half done where it is stopped, and removes what a killed run left', async () => {
    const slow = await slowCopies();
    for (const pause of [0, 700]) {
      const run = await script.start({ PATH: slow });
      await until(run, /copying slots/);
      await sleep(pause);
      run.process.kill('SIGTERM');
      const { code } = await run.ended;
      assert.equal(code, 1);
      assert.match(run.report()?.reason ?? '', /stopped before it was complete/);
      assert.deepEqual(await left(), []);
    }
    for (const wait of [0, 100, 200, 400, 800, 1200, 1600]) {
      const run = await script.start({ PATH: slow });
      await sleep(wait);
      killAll(run);
      await run.ended;
      const whole = (await left()).filter((name) => !name.startsWith('.'));
      for (const name of whole)
        assert.equal(((await descriptionOf(script.folder, name)) as Backup).format, 1);
    }
    const { result, count } = await script.run();
    assert.equal(result, 'done');
    assert.equal((await left()).length, count, (await left()).join(' '));
    await empty();
    await rm(slow.split(':')[0] ?? '', { recursive: true });
  });

  test('does not wait: a second run at the same time is refused', async () => {
    const slow = await slowCopies(3);
    const first = await script.start({ PATH: slow });
    await until(first, /copying slots/);
    const second = await script.run();
    assert.match(second.reason, /Another backup is running/);
    assert.equal((await first.ended).code, 0);
    assert.equal((await left()).length, 1);
    await empty();
    await rm(slow.split(':')[0] ?? '', { recursive: true });
  });

  test('takes it again where slots moved meanwhile', async () => {
    const [from, to] = (await readSnapshot(cluster)).nodes;
    assert.ok(from && to);
    const address = cluster.addresses[0] ?? '';
    const shim = await ahead(`case " $* " in *" --rdb "*)
  if mkdir "$TMPDIR/moved" 2>/dev/null; then
    "$real" --cluster reshard ${address} --cluster-from ${from.id} --cluster-to ${to.id} --cluster-slots 5 --cluster-yes >/dev/null
  else
    until [ ! -e "$TMPDIR/moved" ] || [ -e "$TMPDIR/done" ]; do sleep 0.1; done
  fi
  : >"$TMPDIR/done" ;;
esac`);
    const { result, log } = await script.run({ PATH: shim });
    assert.equal(result, 'done', log);
    assert.match(log, /Slots moved.*Trying again/);
    assert.equal((await left()).length, 1);
    await empty();
    await rm(shim.split(':')[0] ?? '', { recursive: true });
  });
});

/** A PATH with a redis-cli before the real one that first runs some lines. */
async function ahead(lines: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ahead-'));
  const program = join(folder, 'redis-cli');
  await writeFile(`${program}.new`, `#!/bin/sh\nreal=/usr/bin/redis-cli\n${lines}\nexec "$real" "$@"\n`);
  await chmod(`${program}.new`, 0o755);
  await rename(`${program}.new`, program);
  return `${folder}:${process.env['PATH'] ?? ''}`;
}

function slowCopies(seconds = 1): Promise<string> {
  return ahead(`case " $* " in *" --rdb "*) sleep ${seconds} ;; esac`);
}

async function until({ log }: Awaited<ReturnType<BackupScript['start']>>, line: RegExp): Promise<void> {
  for (let tries = 0; !line.test(log()); tries++) {
    assert.ok(tries < 500, log());
    await sleep(20);
  }
}
