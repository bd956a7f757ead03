import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../../../bench/support/numbers.ts';
import { deployManifests, type Deployment } from '../../support/scenarios/deployment.ts';
import { record } from '../../support/scenarios/record.ts';
import { servers } from '../../support/scenarios/servers.ts';
import { shapeOf, story, untilWhole } from '../../support/scenarios/whole.ts';
import { startKubernetes, type TestKubernetes } from '../../support/startKubernetes.ts';

const runs = 20;
let kubernetes: TestKubernetes;

before(async () => {
  kubernetes = await startKubernetes();
});

after(() => kubernetes.stop());

/** Deletes pods that chance picks, at two moments that chance picks; resolves to what it did. */
async function interrupt({ kubectl }: Deployment): Promise<string> {
  const done: string[] = [];
  for (let time = 0; time < 2; time++) {
    const wait = Math.round(Math.random() * 6000);
    await sleep(wait);
    const ordinals = [0, 1, 2, 3, 4, 5].filter(() => Math.random() < 0.4);
    const names = ordinals.map((ordinal) => `redis-cluster-${ordinal}`);
    if (names.length > 0)
      await kubectl(['delete', 'pod', ...names, '--force', '--grace-period=0', '--ignore-not-found']);
    done.push(`after ${wait} ms pods ${ordinals.join(' ')}`);
  }
  return done.join(', ');
}

async function once(
  t: TestContext,
  run: number,
): Promise<{ readonly seconds: number; readonly at: Deployment }> {
  const at = await deployManifests(kubernetes);
  try {
    const what = await interrupt(at);
    const since = performance.now();
    t.diagnostic(`run ${run}: deleted ${what}`);
    const seconds = await untilWhole(at, 6, { since });
    assert.deepEqual(shapeOf(await servers(at)), { masters: 3, replicas: 3 }, await story(at));
    return { seconds, at };
  } finally {
    await at.remove();
  }
}

test('restarts at random moments during formation: always one cluster of three and three', async (t) => {
  const all: number[] = [];
  for (let run = 1; run <= runs; run++) {
    const { seconds, at } = await once(t, run);
    all.push(seconds);
    if (run < runs) continue;
    const note = `after the last restart: median ${median(all).toFixed(1)} s, longest ${Math.max(...all)} s`;
    t.diagnostic(note);
    record('restarts-while-forming', at, { note });
  }
});
