import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import type { PodFacts } from '../../src/model/snapshot.ts';
import { planReplacePods } from '../../src/operations/replacePods.ts';
import { replacePod } from '../../src/operations/steps/replacePod.ts';
import type { StepPorts } from '../../src/operations/steps/ports.ts';
import { operationsFixture, refused, type OperationsFixture } from '../support/operationsFixture.ts';
import { nothingElse } from '../support/nothingElse.ts';

let fixture: OperationsFixture;
let access: KubernetesAccess;
let namespace: string;

before(async () => {
  fixture = await operationsFixture('ended', 'ended');
  ({ access, namespace } = fixture);
});
after(() => fixture.close());

/** A pod that does its work and ends, owned by something that does not replace it. */
async function endedPod(name: string): Promise<PodFacts> {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-owner`, namespace } };
  await access.create(owner);
  const metadata = (await access.get('v1', 'ConfigMap', namespace, owner.metadata.name))?.metadata;
  const { uid } = metadata as { readonly uid?: string };
  const container = {
    name: 'redis',
    image: 'redis:7.0.15',
    command: ['redis-server', '--version'],
    ports: [{ containerPort: 6379 }],
  };
  await access.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid, controller: true },
      ],
    } as { name: string },
    spec: { restartPolicy: 'Never', containers: [container] },
  });
  for (let tries = 0; tries < 300; tries++) {
    const pods = (await access.discover(namespace)).flatMap((one) => one.pods);
    const pod = pods.find((one) => one.name === name);
    if (pod?.phase === 'Succeeded') return pod;
    await sleep(200);
  }
  throw new Error(`pod ${name} did not end within a minute`);
}

test('a pod that has ended is found with its reason, and deleted only while it is the very same', async () => {
  const pod = await endedPod('ended-0');
  assert.deepEqual([pod.ended, pod.reason, pod.ready], [true, 'Ended', false]);
  const other = '00000000-0000-0000-0000-000000000000';
  await refused(
    access.delete('v1', 'Pod', namespace, pod.name, undefined, { uid: other }),
    'conflict',
    /ended-0/,
  );
  assert.ok(await access.get('v1', 'Pod', namespace, pod.name));

  const [candidate] = await access.discover(namespace);
  assert.ok(candidate);
  const snapshot = {
    ...{ ref: { context: access.context, namespace, name: 'ended' }, name: 'ended', takenAt: 0, nodes: [] },
    ...nothingElse,
    ...{ loosePods: candidate.pods, workloads: [candidate.workload] },
  };
  const [step] = planReplacePods(snapshot, {}).steps;
  assert.ok(step?.kind === 'replacePod');
  const ports = {
    ...fixture.ports,
    ...{ snapshot, kubernetes: { ...fixture.ports, access, namespace } },
    readSnapshot: async () => ({
      ...snapshot,
      loosePods: (await access.discover(namespace)).flatMap((one) => one.pods),
    }),
  } as unknown as StepPorts;
  await replacePod.check(step, snapshot, ports);
  await replacePod.act(step, ports);
  assert.equal(await access.get('v1', 'Pod', namespace, pod.name), undefined);
});
