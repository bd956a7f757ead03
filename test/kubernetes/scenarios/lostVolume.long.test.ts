import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freezeProcess } from '../../support/faults/podProcesses.ts';
import { selector, type Deployment, type Pod } from '../../support/scenarios/deployment.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { scenarioCluster } from '../../support/scenarios/scenarioCluster.ts';
import { aMaster, servers, withServer } from '../../support/scenarios/servers.ts';
import { shapeOf, untilWhole } from '../../support/scenarios/whole.ts';

const cluster = scenarioCluster();

/** Takes pods and one pod's volume away at once; a frozen server can hand nothing over before. */
async function loseVolume(deployment: Deployment, pod: Pod, deleted: readonly string[]): Promise<void> {
  const { kubectl } = deployment;
  await freezeProcess(pod, 'redis-server');
  await kubectl(['delete', 'pvc', `data-${pod.name}`, '--wait=false']);
  await kubectl(['delete', 'pods', ...deleted, '--force', '--grace-period=0']);
  const claims = `pvc/data-${pod.name}`;
  await kubectl(['wait', '--for=delete', claims, '--timeout=5s']).catch(() => undefined);
}

async function assertRecovered(deployment: Deployment, pod: Pod, oldId: string): Promise<void> {
  const all = await servers(deployment);
  assert.deepEqual(shapeOf(all), { masters: 3, replicas: 3 });
  const back = all.find(({ name }) => name === pod.name);
  assert.notEqual(back?.view.self.id, oldId, 'the volume was lost, so the node is a new one');
  assert.equal(back?.view.replication.role, 'replica');
}

test("a master's volume lost: its replica takes over", async (t) => {
  const { deployment } = cluster();
  const master = await aMaster(deployment);
  await runScenario(t, 'lost-master-volume', cluster(), async () => {
    const since = performance.now();
    await loseVolume(deployment, master, [master.name]);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
  await assertRecovered(deployment, master, master.view.self.id);
});

test("pod 0's volume lost while all pods restart", async (t) => {
  const { deployment } = cluster();
  const zero = await masterInPodZero(deployment);
  await runScenario(t, 'lost-volume-0', cluster(), async () => {
    const since = performance.now();
    await loseVolume(deployment, zero, ['-l', selector]);
    return { seconds: await untilWhole(deployment, 6, { since }) };
  });
  await assertRecovered(deployment, zero, zero.view.self.id);
});

async function masterInPodZero(deployment: Deployment) {
  for (;;) {
    const zero = (await servers(deployment)).find(({ name }) => name === 'redis-cluster-0');
    assert.ok(zero);
    if (zero.view.self.slots.length > 0) return zero;
    await withServer(deployment, zero.ip, (redis) => redis.call('CLUSTER', 'FAILOVER'));
    await sleep(1000);
  }
}
