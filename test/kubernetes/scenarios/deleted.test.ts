import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deployManifests, selector, type Deployment } from '../../support/scenarios/deployment.ts';
import { fill, type Dataset } from '../../support/scenarios/keys.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { servers } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';
import { startKubernetes, type TestKubernetes } from '../../support/startKubernetes.ts';

let kubernetes: TestKubernetes;
let deployment: Deployment;
let dataset: Dataset;

before(async () => {
  kubernetes = await startKubernetes();
  deployment = await deployManifests(kubernetes);
  await untilWhole(deployment, 6);
  dataset = await fill(deployment, 20_000);
});

after(async () => {
  await deployment.remove();
  await kubernetes.stop();
});

test('a master deleted gracefully: nobody notices', async (t) => {
  const master = (await servers(deployment)).find(({ view }) => view.self.slots.length > 0);
  assert.ok(master);
  await runScenario(t, 'delete-master', deployment, dataset, async () => {
    await deployment.kubectl(['delete', 'pod', master.name]);
    return { seconds: await untilWhole(deployment, 6) };
  });
});

test('all pods deleted by force at once: whole again with every key', async (t) => {
  await runScenario(t, 'force-delete-all', deployment, dataset, async () => {
    const since = performance.now();
    await deployment.kubectl(['delete', 'pods', '-l', selector, '--force', '--grace-period=0']);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
});
