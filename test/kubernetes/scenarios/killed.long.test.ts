import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killProcess } from '../../support/faults/podProcesses.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { aMaster } from '../../support/scenarios/servers.ts';
import { untilWhole } from '../../support/scenarios/whole.ts';

const cluster = scenarioCluster();

test("a master's process killed: back by itself", async (t) => {
  const { deployment } = cluster();
  const master = await aMaster(deployment);
  await runScenario(t, 'kill-master', cluster(), async () => {
    const since = performance.now();
    await killProcess(master, 'redis-server', 'SIGKILL');
    // Until Kubernetes has seen it, the pod still counts as ready.
    while (
      !(await deployment.pods()).some(({ uid, restarts }) => uid === master.uid && restarts > master.restarts)
    )
      await sleep(50);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
});

test("a master's pod deleted by force: back by itself", async (t) => {
  const { deployment } = cluster();
  const { name } = await aMaster(deployment);
  await runScenario(t, 'force-delete-master', cluster(), async () => {
    const since = performance.now();
    await deployment.kubectl(['delete', 'pod', name, '--force', '--grace-period=0']);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
});
