import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { agrees } from '../../src/checks/agreement.ts';
import { workloadWork } from '../../src/checks/workloadWork.ts';
import { mastersOf } from '../../src/model/shards.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { agreed } from '../../src/operations/servers/agreed.ts';
import { withLease } from '../../src/operations/run/lease.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import { planScaleShape } from '../../src/operations/scaleShape.ts';
import { readShapeFacts } from '../../src/operations/shape/facts.ts';
import { prepareUpgrade } from '../../src/operations/upgrade.ts';
import { checksDuring } from '../support/checksDuring.ts';
import { plannedCluster, type PlannedCluster } from '../support/plannedCluster.ts';

const name = 'rolled';
const least = 100;
let cluster: PlannedCluster;

before(async () => {
  cluster = await plannedCluster(name, { limit: 5_400_000 });
});

after(() => cluster.close());

/** A reading for a check, in which there is this cluster and no other. */
async function read(): Promise<ClusterSnapshot> {
  const snapshot = await cluster.runPorts.readSnapshot();
  assert.deepEqual(cluster.clusterNames(), [name]);
  return snapshot;
}

const readAgreed = (): Promise<ClusterSnapshot> => agreed(cluster.runPorts.readSnapshot);

/** Waits until the StatefulSet is done and all its pods are members that agree. */
async function settled(pods: number): Promise<void> {
  const { readSnapshot, delay, signal } = cluster.runPorts;
  await delay(2_000, signal);
  for (;;) {
    signal.throwIfAborted();
    const snapshot = await readSnapshot();
    const isDone = workloadWork(snapshot).every(({ ended }) => ended === true) && agrees(snapshot);
    if (isDone && snapshot.nodes.filter(({ health }) => health === 'ok').length === pods) return;
    await delay(500, signal);
  }
}

/** Calls kubectl and waits, while the cluster is checked as by somebody who only looks at it. */
async function checkedKubectl(context: TestContext, ...calls: readonly (readonly string[])[]): Promise<void> {
  await checksDuring(context, {
    ...{ read, least },
    work: async () => {
      for (const call of calls) {
        await cluster.kubectl(call);
        await settled(6);
      }
    },
  });
}

test('a rolling restart by kubectl', (context) =>
  checkedKubectl(context, ['rollout', 'restart', `statefulset/${name}`]));

test('pods of masters and replicas deleted by hand', (context) =>
  checkedKubectl(context, ...[0, 3, 1, 5].map((pod) => ['delete', 'pod', `${name}-${pod}`, '--wait=false'])));

test('pods that have ended under their StatefulSet', (context) =>
  checkedKubectl(
    context,
    ...[4, 0].map((pod) => [
      ...['patch', 'pod', `${name}-${pod}`, '--subresource=status', '--type=merge'],
      ...['-p', '{"status":{"phase":"Succeeded"}}'],
    ]),
  ));

test('a reshard of this window, and of a colleague', async (context) => {
  const { access, ref, runPorts } = cluster;
  const { signal, delay } = runPorts;
  const lease = { access, signal, clock: Date.now, delay };
  for (const isOwn of [true, false]) {
    const [from, to] = mastersOf(await readAgreed());
    assert.ok(from !== undefined && to !== undefined);
    const request = { from: [from.id], to: to.id, slots: 1000, pace: 'fast' } as const;
    const first = planReshard(await readAgreed(), request);
    let isBack = false;
    await checksDuring(context, {
      ...{ read, least },
      ...(isOwn ? { own: first } : {}),
      work: async () => {
        const back = { ...request, from: [to.id], to: from.id };
        const plan = planReshard(await readAgreed(), isBack ? back : request);
        isBack = !isBack;
        const run = (): Promise<unknown> => runPlan(plan, runPorts);
        const claim = { ref, holder: 'ann on ci-3', title: plan.title, operation: plan.operation };
        await (isOwn ? run() : withLease(lease, claim, run));
      },
    });
  }
});

test('scaling up and down', async (context) => {
  const shapes = [4, 3].map((masters) => ({ masters, replicasPerMaster: 1 }));
  const planFor = async (masters: number): Promise<ReturnType<typeof planScaleShape>> => {
    const snapshot = await readAgreed();
    const facts = await readShapeFacts(cluster.access, snapshot, true);
    return planScaleShape(snapshot, { masters, replicasPerMaster: 1, volumes: true }, facts);
  };
  await checksDuring(context, {
    ...{ read, least, own: await planFor(4) },
    work: async () => {
      for (const { masters } of shapes) await runPlan(await planFor(masters), cluster.runPorts);
    },
  });
});

test('an upgrade', async (context) => {
  const planned = async (): ReturnType<typeof prepareUpgrade> =>
    prepareUpgrade(cluster.access, await readAgreed(), { restartedAt: new Date().toISOString() });
  await checksDuring(context, {
    ...{ read, least, own: await planned() },
    work: async () => runPlan(await planned(), cluster.runPorts),
  });
});
