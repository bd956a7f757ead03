import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';

const cluster = scenarioCluster({}, { keys: 200_000, bytesPerValue: 200 });
const gate = 'scenario.test/wait';

async function scale(pods: number): Promise<void> {
  const { kubectl } = cluster().deployment;
  await kubectl(['scale', 'statefulset', 'redis-cluster', `--replicas=${pods}`]);
}

async function noPods(): Promise<void> {
  const { deployment } = cluster();
  while ((await deployment.pods()).length > 0) await sleep(100);
}

test('scaled to zero and back', async (t) => {
  const { deployment } = cluster();
  await runScenario(t, 'scale-to-zero', cluster(), async () => {
    await scale(0);
    await noPods();
    const since = performance.now();
    await scale(6);
    return { seconds: await untilWhole(deployment, 6, { since }), note: 'from `--replicas=6` on' };
  });
});

test('started again slowly, in odd order', async (t) => {
  const { deployment } = cluster();
  const order = [3, 0, 5, 1, 4, 2];
  await runScenario(t, 'slow-odd-start', cluster(), async () => {
    await scale(0);
    await noPods();
    // With a gate in the template pods are made but not scheduled until their gate is taken away.
    const gated = { spec: { template: { spec: { schedulingGates: [{ name: gate }] } } } };
    await deployment.kubectl(['patch', 'statefulset', 'redis-cluster', '-p', JSON.stringify(gated)]);
    await scale(6);
    while ((await deployment.pods()).length < 6) await sleep(100);
    let last = 0;
    for (const ordinal of order) {
      if (last > 0) await sleep(8000);
      last = performance.now();
      const open = [{ op: 'remove', path: '/spec/schedulingGates' }];
      const pod = `redis-cluster-${ordinal}`;
      await deployment.kubectl(['patch', 'pod', pod, '--type=json', '-p', JSON.stringify(open)]);
    }
    const seconds = await untilWhole(deployment, 6, { since: last });
    return { seconds, note: `pods ${order.join(', ')}, 8 s apart` };
  });
});
