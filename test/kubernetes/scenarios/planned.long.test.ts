import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { servers } from '../../support/scenarios/servers.ts';
import { shapeOf, untilWhole } from '../../support/scenarios/whole.ts';

const cluster = scenarioCluster();

test('a replica deleted gracefully', async (t) => {
  const { deployment } = cluster();
  const replica = (await servers(deployment)).find(({ view }) => view.replication.role === 'replica');
  assert.ok(replica);
  await runScenario(t, 'delete-replica', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['delete', 'pod', replica.name]);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
});

test('a rolling restart', async (t) => {
  const { deployment } = cluster();
  await runScenario(t, 'rolling-restart', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['rollout', 'restart', 'statefulset', 'redis-cluster']);
    await deployment.kubectl(['rollout', 'status', 'statefulset', 'redis-cluster', '--timeout=600s']);
    return { seconds: await untilWhole(deployment, 6, { since }), note: 'time of all six restarts' };
  });
});

test('scaled up to twelve pods by kubectl', async (t) => {
  const { deployment } = cluster();
  await runScenario(t, 'scale-up', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['scale', 'statefulset', 'redis-cluster', '--replicas=12']);
    return { seconds: await untilWhole(deployment, 12, { since }) };
  });
  assert.deepEqual(shapeOf(await servers(deployment)), { masters: 3, replicas: 9 });
});

test('scaled down to six pods by kubectl, without a look at who is what', async (t) => {
  const { deployment } = cluster();
  await runScenario(t, 'scale-down', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['scale', 'statefulset', 'redis-cluster', '--replicas=6']);
    const seconds = await untilWhole(deployment, 6, { since, goneMayBeListed: true });
    return { seconds, note: 'every shard keeps a copy among the first six pods' };
  });
});
