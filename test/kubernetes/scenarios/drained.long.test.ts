import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../../support/scenarios/deployment.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { servers, sharedWorkers } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';

// The workers are everybody's: only the pods with this label are evicted.
const mark = { 'scenario.test/drained': randomBytes(6).toString('hex') };
const marked = { spec: { template: { metadata: { labels: mark } } } };

async function drain({ kubectl }: Deployment, worker: string): Promise<void> {
  const own = `--pod-selector=${Object.entries(mark).flat().join('=')}`;
  const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=300s', own];
  await kubectl(['drain', worker, ...flags]);
}

async function uncordon({ kubectl }: Deployment, workers: readonly string[]): Promise<void> {
  await kubectl(['uncordon', ...workers]);
}

async function workersInUse(deployment: Deployment): Promise<readonly string[]> {
  return [...new Set((await deployment.pods()).map(({ worker }) => worker))].sort();
}

/**
 * The most pods that were away at any time during the work: leaving, missing, or new and not ready yet. One that was
 * ready and misses a probe, as on a busy machine, was not evicted and does not count.
 */
async function mostAway(deployment: Deployment, work: Promise<unknown>): Promise<number> {
  const arrived = new Set((await deployment.pods()).map(({ uid }) => uid));
  let most = 0;
  const done = work.then(() => 'done');
  while ((await Promise.race([done, sleep(100)])) !== 'done') {
    const pods = (await deployment.pods()).filter(({ leaving }) => !leaving);
    for (const { uid, ready } of pods) if (ready) arrived.add(uid);
    most = Math.max(most, 6 - pods.filter(({ uid }) => arrived.has(uid)).length);
  }
  return most;
}

/** What is said of where the masters and replicas are, once they had time to move apart. */
async function placement(deployment: Deployment): Promise<{ readonly held: boolean; readonly note: string }> {
  const end = performance.now() + 60_000;
  for (;;) {
    const together = sharedWorkers(await servers(deployment));
    if (together.length === 0) return { held: true, note: 'no master shares a worker with its only replica' };
    if (performance.now() > end)
      return { held: false, note: `without a copy elsewhere: ${together.join(', ')}` };
    await sleep(1000);
  }
}

describe('with the base', () => {
  const cluster = scenarioCluster({ patches: [marked] });

  test('each worker drained in turn', async (t) => {
    const { deployment } = cluster();
    let away = 0;
    await runScenario(t, 'drain', cluster(), async () => {
      const since = performance.now();
      for (const worker of await workersInUse(deployment)) {
        try {
          away = Math.max(away, await mostAway(deployment, drain(deployment, worker)));
        } finally {
          await uncordon(deployment, [worker]);
        }
        await untilWhole(deployment, 6);
      }
      const seconds = await untilWhole(deployment, 6, { since });
      const { held, note } = await placement(deployment);
      return { seconds, held: held && away <= 1, note: `all three; ${note}` };
    });
    assert.ok(away <= 1, `${away} pods were away at once`);
  });
});

describe('with the overlay spread', () => {
  const spread = scenarioCluster({ from: 'manifests/overlays/spread', patches: [marked] });

  // The pods of two workers do not fit on the third: the second drain waits until somebody gives a worker back.
  test('two workers drained at once', async (t) => {
    const { deployment } = spread();
    let away = 0;
    await runScenario(t, 'drain-two', spread(), async () => {
      const since = performance.now();
      const [first = '', second = ''] = await workersInUse(deployment);
      let waited = '';
      try {
        const drains = [first, second].map((worker) => drain(deployment, worker));
        const giveBack = async (): Promise<void> => {
          waited = await untilPending(deployment);
          await uncordon(deployment, [first]);
        };
        away = await mostAway(deployment, Promise.all([...drains, giveBack()]));
      } finally {
        await uncordon(deployment, [first, second]);
      }
      const seconds = await untilWhole(deployment, 6, { since });
      const { held, note } = await placement(deployment);
      return { seconds, held: held && away <= 1, note: `${waited}; ${note}` };
    });
    assert.ok(away <= 1, `${away} pods were away at once`);
  });
});

/** Waits for a pod that no worker may take, and for longer than it takes to evict one: no other pod may leave then. */
async function untilPending(deployment: Deployment): Promise<string> {
  const end = performance.now() + 120_000;
  for (;;) {
    const waiting = (await deployment.pods()).filter(({ worker, leaving }) => worker === '' && !leaving);
    await sleep(10_000);
    const still = (await deployment.pods()).filter(({ uid, worker }) => {
      return worker === '' && waiting.some((pod) => pod.uid === uid);
    });
    const names = still.map(({ name }) => name).join(', ');
    if (still.length > 0)
      return `${names} waited for a worker, and the drains with it, until one was given back`;
    assert.ok(performance.now() < end, 'no pod had to wait for a worker');
  }
}
