import { test } from 'node:test';
import { selector } from '../../support/scenarios/deployment.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { aMaster } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';

const cluster = scenarioCluster();

test('a master deleted gracefully: nobody notices', async (t) => {
  const { deployment } = cluster();
  const { name } = await aMaster(deployment);
  await runScenario(t, 'delete-master', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['delete', 'pod', name]);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
});

test('all pods deleted by force at once: whole again with every key', async (t) => {
  const { deployment } = cluster();
  await runScenario(t, 'force-delete-all', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['delete', 'pods', '-l', selector, '--force', '--grace-period=0']);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
});
