import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endedUnfinished, openJournal, type JournalPorts } from '../../src/operations/run/journal.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import { planToResume } from '../../src/operations/plans/planFile.ts';
import { planRestore } from '../../src/operations/restore.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import { journalFiles } from '../../src/ui/run/journalFiles.ts';
import { backedUp, contents, debugging, kinds, plain, readFolder } from '../support/redis/backups.ts';
import { fill } from '../support/redis/fill.ts';
import { readSnapshot } from '../support/redis/readSnapshot.ts';
import { runPorts } from '../support/redis/runPorts.ts';
import { startRedisCluster, type TestCluster } from '../support/startRedisCluster.ts';

describe('resuming a restore', { timeout: 120_000 }, () => {
  let source: TestCluster;
  let target: TestCluster;
  let parent: string;
  let folder: string;
  let original: ReadonlyMap<string, string>;
  before(async () => {
    source = await startRedisCluster({ config: debugging });
    target = await startRedisCluster({ replicasPerMaster: 0, config: debugging });
    parent = await mkdtemp(join(tmpdir(), 'resumed-'));
    await fill(source, [...plain, ...kinds('7.0')]);
    folder = await backedUp(source, parent, 'shop');
    original = await contents(source);
  });
  after(async () => {
    await source.stop();
    await target.stop();
    await rm(parent, { recursive: true });
  });

  test('with the mode "replace": keys are deleted once, and what clients write meanwhile is kept', async () => {
    await fill(target, [['SET', Buffer.from('of its own'), 'x']]);
    const store = journalFiles(join(parent, 'journals'));
    const delay: JournalPorts['delay'] = (milliseconds, signal) =>
      sleep(milliseconds, undefined, { signal }).catch(() => undefined);
    const journals: JournalPorts = { store, clock: Date.now, delay };
    const interrupted = async (plan: Plan, after: number): Promise<Plan> => {
      const journal = await openJournal(journals, plan);
      const stop = new AbortController();
      const ports: RunPorts = runPorts(target, {
        signal: stop.signal,
        observer: journal.observer,
        report: ({ done = 0 }) => {
          if (done > after) stop.abort();
        },
      });
      const { cancelled } = await runPlan(plan, ports);
      assert.ok(cancelled);
      await journal.close('cancelled', 'Cancelled.');
      const [left] = await endedUnfinished(journals);
      assert.ok(left);
      const resumable = planToResume(left);
      assert.ok(resumable);
      return resumable;
    };
    const plan = planRestore(await readSnapshot(target), await readFolder(folder), 'replace', redis);
    assert.ok(plan.losses.length > 0 && plan.steps.some(({ kind }) => kind === 'flush'));
    const first = await interrupted(plan, 100);
    assert.deepEqual(
      [first.losses, first.steps.map(({ kind }) => kind)],
      [[], ['checkBackup', 'restoreKeys']],
    );
    await fill(target, [
      ['SET', Buffer.from('of a client'), 'y'],
      ['SET', Buffer.from('key 4999'), 'by a client'],
    ]);
    const taken = (await contents(target)).get('key 4999');
    const second = await interrupted(first, 1_000);
    const { movedKeys } = await runPlan(second, runPorts(target));
    assert.ok(movedKeys > 0 && movedKeys < original.size, String(movedKeys));
    const now = await contents(target);
    const differing = [...original].filter(([key, digest]) => now.get(key) !== digest).map(([key]) => key);
    assert.deepEqual(
      [now.size, now.has('of its own'), now.has('of a client')],
      [original.size + 1, false, true],
    );
    // What a client wrote first stays as it is, or the key had been restored before, and the client wrote over it.
    assert.deepEqual([differing, now.get('key 4999')], [['key 4999'], taken]);
  });
});
