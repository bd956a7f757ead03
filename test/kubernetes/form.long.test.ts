import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { keySlot } from '../../src/model/keySlot.ts';
import { hasSlot } from '../../src/model/slots.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { isUnformed } from '../../src/model/unformed.ts';
import { waitForPods } from '../../src/operations/statefulSets/waitForPods.ts';
import { planForm } from '../../src/operations/form.ts';
import { readFormServers } from '../../src/operations/forming/readServers.ts';
import { planPromote } from '../../src/operations/promote.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import { operationsFixture, type OperationsFixture } from '../support/operationsFixture.ts';
import { plannedIn, type PlannedCluster } from '../support/plannedCluster.ts';
import { plainManifests, waitUntilWhole } from '../support/plainCluster.ts';

let fixture: OperationsFixture;
let planned: PlannedCluster | undefined;
let ports: RunPorts;
const name = 'plain';

before(async () => {
  fixture = await operationsFixture('form', name);
  const { access, namespace } = fixture;
  const plain = { namespace, name, image: 'redis:7.0.15', storage: '1Gi', replicas: 6 };
  for (const object of plainManifests({ ...plain, podManagementPolicy: 'Parallel' }))
    await access.apply(object);
  const awaited = { namespace, statefulSet: name, uid: undefined, pods: 6 };
  await waitForPods(fixture.ports, awaited, (pods) => {
    const ready = pods.filter((pod) => pod.ready).length;
    return Promise.resolve({ done: ready === 6, progress: { text: `ready ${ready}` } });
  });
  planned = await plannedIn(fixture, { context: access.context, namespace, name });
  ports = planned.runPorts;
});

after(async () => {
  await (planned ?? fixture).close();
});

async function until(what: string, isSo: (snapshot: ClusterSnapshot) => boolean): Promise<ClusterSnapshot> {
  const end = performance.now() + 180_000;
  for (;;) {
    const snapshot = await ports.readSnapshot();
    if (isSo(snapshot)) return snapshot;
    assert.ok(performance.now() < end, `${what} did not come within three minutes`);
    await sleep(500);
  }
}

async function onOwner(key: string, ...command: readonly string[]): Promise<unknown> {
  const { nodes } = await ports.readSnapshot();
  const owner = nodes.find(
    ({ role, slots, view }) => role === 'master' && view !== undefined && hasSlot(slots, keySlot(key)),
  );
  assert.ok(owner, `no master serves ${key}`);
  const connection = await ports.dialer.dial(owner.id);
  return await connection.call(...command).finally(() => {
    connection.close();
  });
}

const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);

test('the empty pods of somebody’s StatefulSet become a cluster', { timeout: 300_000 }, async () => {
  const snapshot = await until('six empty servers', ({ nodes }) => nodes.length === 6);
  assert.ok(isUnformed(snapshot));
  const facts = await readFormServers(snapshot, ports.dialer, redis);
  assert.deepEqual(facts.obstacles, []);
  const result = await runPlan(planForm(snapshot, { masters: 3 }, facts), ports);
  assert.equal(result.steps, 4);
  await waitUntilWhole(fixture.ports, fixture.namespace, name, 6);
  for (const key of keys) await onOwner(key, 'SET', key, 'here');
});

test(
  'two masters that lost pods and volumes at once: that their pods run other nodes is Kubernetes’ word',
  { timeout: 400_000 },
  async () => {
    const { access, namespace } = fixture;
    const before = await ports.readSnapshot();
    const lost = before.nodes.filter(({ role }) => role === 'master').slice(0, 2);
    for (const { pod } of lost) {
      const claim = `data-${pod?.name ?? ''}`;
      await access.delete('v1', 'PersistentVolumeClaim', namespace, claim);
    }
    await Promise.all(
      lost.map(({ pod }) =>
        fixture.kubectl(['delete', 'pod', pod?.name ?? '', '--grace-period=0', '--force']),
      ),
    );
    const snapshot = await until('two new servers in their pods', ({ nodes, loosePods, otherParts }) => {
      const newcomers = [
        ...loosePods,
        ...otherParts.flatMap((part) => part.nodes.flatMap(({ pod }) => pod ?? [])),
      ];
      const ready = lost.filter(({ pod }) => newcomers.some((one) => one.name === pod?.name && one.ready));
      return ready.length === 2 && lost.every(({ id }) => nodes.some((node) => node.id === id && !node.view));
    });
    const plan = planPromote(snapshot, { how: 'takeover' });
    assert.match(plan.warnings.join(' '), /runs? another node/);
    await runPlan(plan, ports);
    for (const key of keys) assert.equal(await onOwner(key, 'GET', key), 'here');
  },
);
