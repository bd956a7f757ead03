import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { servers, sharedWorkers } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';

// The workers are everybody's: only the pods with this label are evicted.
const mark = { 'scenario.test/drained': randomBytes(6).toString('hex') };
const cluster = scenarioCluster({ patches: [{ spec: { template: { metadata: { labels: mark } } } }] });

async function drain(worker: string): Promise<void> {
  const { kubectl } = cluster().deployment;
  const own = `--pod-selector=${Object.entries(mark).flat().join('=')}`;
  const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=300s', own];
  await kubectl(['drain', worker, ...flags]);
}

async function uncordon(workers: readonly string[]): Promise<void> {
  await cluster().deployment.kubectl(['uncordon', ...workers]);
}

async function workersInUse(): Promise<readonly string[]> {
  return [...new Set((await cluster().deployment.pods()).map(({ worker }) => worker))].sort();
}

/**
 * The most pods that were away at any time during the work: leaving, missing, or new and not ready yet. One that was
 * ready and misses a probe, as on a busy machine, was not evicted and does not count.
 */
async function mostAway(work: Promise<unknown>): Promise<number> {
  const arrived = new Set((await cluster().deployment.pods()).map(({ uid }) => uid));
  let most = 0;
  const done = work.then(() => 'done');
  while ((await Promise.race([done, sleep(100)])) !== 'done') {
    const pods = (await cluster().deployment.pods()).filter(({ leaving }) => !leaving);
    for (const { uid, ready } of pods) if (ready) arrived.add(uid);
    most = Math.max(most, 6 - pods.filter(({ uid }) => arrived.has(uid)).length);
  }
  return most;
}

/** What is said of where the masters and replicas are, once they had time to move apart. */
async function placement(): Promise<{ readonly held: boolean; readonly note: string }> {
  const { deployment } = cluster();
  const end = performance.now() + 60_000;
  for (;;) {
    const together = sharedWorkers(await servers(deployment));
    if (together.length === 0) return { held: true, note: 'no master shares a worker with its only replica' };
    if (performance.now() > end)
      return { held: false, note: `without a copy elsewhere: ${together.join(', ')}` };
    await sleep(1000);
  }
}

test('each worker drained in turn', async (t) => {
  const { deployment } = cluster();
  let away = 0;
  await runScenario(t, 'drain', cluster(), async () => {
    const since = performance.now();
    for (const worker of await workersInUse()) {
      try {
        away = Math.max(away, await mostAway(drain(worker)));
      } finally {
        await uncordon([worker]);
      }
      await untilWhole(deployment, 6);
    }
    const seconds = await untilWhole(deployment, 6, { since });
    const { held, note } = await placement();
    return { seconds, held: held && away <= 1, note: `all three; ${note}` };
  });
  assert.ok(away <= 1, `${away} pods were away at once`);
});

test('two workers drained at once', async (t) => {
  const { deployment } = cluster();
  let away = 0;
  await runScenario(t, 'drain-two', cluster(), async () => {
    const since = performance.now();
    const two = (await workersInUse()).slice(0, 2);
    try {
      away = await mostAway(Promise.all(two.map(drain)));
    } finally {
      await uncordon(two);
    }
    const seconds = await untilWhole(deployment, 6, { since });
    const { held, note } = await placement();
    return { seconds, held: held && away <= 1, note };
  });
  assert.ok(away <= 1, `${away} pods were away at once`);
});
