import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Candidate, KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { isAbort, UserError } from '../../../src/model/errors.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot, PodFacts, RedisNode, WorkloadFacts } from '../../../src/model/snapshot.ts';
import { joinAndAwait, type JoinPorts } from '../../../src/operations/statefulSets/joinPods.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { planScale } from '../../../src/operations/scale.ts';
import { ids, line, pod, view } from '../sample.ts';
import { nothingElse } from '../../support/nothingElse.ts';

function podOf(ordinal: number, parts: Partial<PodFacts> = {}): PodFacts {
  return pod(`shop-${ordinal}`, `10.0.0.${ordinal}`, { namespace: 'team', workload: 'shop', ...parts });
}

/** A server that nobody has met: the id of an empty master. */
function alone(ordinal: number, keys: number): NodeView {
  return view(`m${ordinal}`, { others: [], clusterState: 'fail', slotsAssigned: 0, keys });
}

function sixViews(): Map<string, NodeView> {
  return new Map(ids.map((id, index) => [`shop-${index}`, view(id)]));
}

function snapshot(
  parts: Partial<ClusterSnapshot> = {},
  workload: Partial<WorkloadFacts> = {},
): ClusterSnapshot {
  const nodes = [...sixViews().values()].map((one, index): RedisNode => {
    const role = one.replication.role;
    return { ...one.self, role, health: 'ok', view: one, pod: podOf(index) };
  });
  return {
    ref: { context: 'dev', namespace: 'team', name: 'shop' },
    name: 'shop',
    takenAt: 0,
    nodes,
    ...nothingElse,
    workloads: [
      { kind: 'StatefulSet', name: 'shop', replicas: 6, readyReplicas: 6, bundled: false, ...workload },
    ],
    ...parts,
  };
}

test('more pods are planned for, by their number or by replicas for each master', () => {
  const plan = planScale(snapshot(), { pods: 12 });
  const [grow, join] = plan.steps;
  assert.ok(grow?.kind === 'setReplicas' && join?.kind === 'joinReplicas');
  assert.deepEqual([grow.from, grow.pods, join.workload, join.members.length], [6, 12, 'shop', 6]);
  assert.match(plan.title, /shop \(context dev, namespace team\) from 6 to 12 pods/);
  assert.match(join.text, /12 pods are ready and 6 new nodes joined as replicas of the masters/);
  assert.match(planScale(snapshot(), { replicasPerMaster: 3 }).title, /to 12 pods/);
  assert.match(planScale(snapshot(), { masters: 3, replicasPerMaster: 2 }).title, /to 9 pods/);
  const loose = planScale(snapshot({ loosePods: [podOf(6)] }, { replicas: 7 }), { pods: 7 });
  assert.deepEqual(
    loose.steps.map(({ kind }) => kind),
    ['joinReplicas'],
  );
});

test('what would lose data or is not possible is refused with the reason', () => {
  const second: WorkloadFacts = {
    kind: 'StatefulSet',
    name: 'shop-b',
    replicas: 3,
    readyReplicas: 3,
    bundled: false,
  };
  const sick = snapshot();
  const down = {
    ...sick,
    nodes: sick.nodes.map((node) => (node.id === 'm0' ? { ...node, health: 'failed' as const } : node)),
  };
  const cases: [ClusterSnapshot, Parameters<typeof planScale>[1], string, RegExp][] = [
    [
      snapshot(),
      { pods: 5 },
      'unsafe',
      /until the shards are drained: lowering a StatefulSet’s replicas loses data/,
    ],
    [snapshot(), { pods: 6 }, 'nothing-to-do', /nothing to do/],
    [snapshot(), { pods: 1001 }, 'invalid-input', /at most 1000/],
    [snapshot(), {}, 'invalid-input', /number of pods/],
    [snapshot({ workloads: [...snapshot().workloads, second] }), { pods: 9 }, 'unsafe', /shop, shop-b/],
    [snapshot({ workloads: [] }), { pods: 9 }, 'not-found', /no StatefulSet/],
    [snapshot({}, { kind: 'Other' }), { pods: 9 }, 'unsafe', /does not run in one StatefulSet/],
    [snapshot({ ref: { addresses: ['a:1'] } }), { pods: 9 }, 'invalid-input', /not in Kubernetes/],
    [down, { pods: 9 }, 'unsafe', /is unhealthy.*shop-0 has failed/],
  ];
  for (const [state, request, reason, message] of cases) {
    assert.throws(
      () => planScale(state, request),
      (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.reason, reason, error.message);
        assert.match(error.message, message);
        assert.match(error.message, /Nothing was changed/);
        return true;
      },
    );
  }
});

/** A Kubernetes and its servers whose pods are there as soon as they are asked for; time is made by waiting. */
function world(fresh: (ordinal: number) => PodFacts = podOf, isolatedKeys = 0) {
  const views = sixViews();
  const calls: string[] = [];
  let time = 0;
  let pods = [0, 1, 2, 3, 4, 5].map((ordinal) => podOf(ordinal));
  const candidate = (): Candidate => ({
    namespace: 'team',
    workload: { kind: 'StatefulSet', name: 'shop', replicas: pods.length, readyReplicas: 0, bundled: false },
    pods,
  });
  const access: Partial<KubernetesAccess> = {
    context: 'dev',
    discover: () => Promise.resolve([candidate()]),
    watch: () => () => undefined,
    list: () => Promise.resolve([]),
    logs: (_namespace, _pod, _container, _options, onText) => {
      onText('FATAL CONFIG FILE ERROR\n');
      return Promise.resolve();
    },
    scale: (_namespace, name, from, to) => {
      calls.push(`scale ${name} ${from} ${to}`);
      pods = [...pods, ...Array.from({ length: to - from }, (_, index) => fresh(from + index))];
      for (const one of pods.slice(from)) views.set(one.name, alone(Number(one.name.slice(5)), isolatedKeys));
      return Promise.resolve();
    },
  };
  const stop = new AbortController();
  const update = (name: string, change: (before: NodeView) => NodeView): void => {
    const before = views.get(name);
    assert.ok(before);
    views.set(name, change(before));
  };
  const ports: JoinPorts = {
    access: access as KubernetesAccess,
    signal: stop.signal,
    report: () => undefined,
    now: () => time,
    delay: (milliseconds) => {
      time += milliseconds;
      return Promise.resolve();
    },
    readNode: (_namespace, name) => {
      const found = views.get(name);
      return found === undefined ? Promise.reject(new Error('refused')) : Promise.resolve(found);
    },
    joinNode: ({ ip }) => {
      calls.push(`meet ${ip ?? ''} at ${Math.floor(time / 1000)} s`);
      const all = [...views.values()].map((one) => one.self.id);
      for (const name of views.keys()) {
        update(name, (before) => ({
          ...before,
          clusterState: 'ok',
          others: all.filter((id) => id !== before.self.id).map((id) => line(id)),
        }));
      }
      return Promise.resolve();
    },
    replicate: ({ name }, _id, masterId) => {
      calls.push(`replicate ${name} ${masterId}`);
      update(name, (before) => ({
        ...before,
        self: { ...before.self, masterId },
        replication: { role: 'replica', offset: 1, linkUp: true, replicas: [] },
      }));
      return Promise.resolve();
    },
  };
  return { ports, calls, stop };
}

/** Does what the steps of a scale do, without the readings between them. */
async function act({ steps }: Plan, ports: JoinPorts): Promise<void> {
  const namespace = 'team';
  for (const step of steps) {
    if (step.kind === 'setReplicas') await ports.access.scale(namespace, step.workload, step.from, step.pods);
    if (step.kind === 'joinReplicas')
      await joinAndAwait({ ...step, namespace, statefulSet: step.workload }, ports);
  }
}

test('pods that do not join by themselves are joined after 20 s, evenly over the masters', async () => {
  const { ports, calls } = world();
  await act(planScale(snapshot(), { pods: 9 }), ports);
  assert.equal(calls[0], 'scale shop 6 9');
  assert.match(calls[1] ?? '', /^meet 10.0.0.6 at 2[01] s$/);
  assert.deepEqual(
    calls.filter((call) => call.startsWith('replicate')),
    ['replicate shop-6 m0', 'replicate shop-7 m1', 'replicate shop-8 m2'],
  );
});

test('new replicas that crowd at one master are spread, also where they join by themselves', async () => {
  const { ports, calls } = world();
  const one = podOf(8);
  const readNode: JoinPorts['readNode'] = async (...pod) => {
    const read = await ports.readNode(...pod);
    if (read.others.length > 0) return read;
    await ports.joinNode({ ...one, ip: '10.0.0.8' }, { id: 'x', busPort: 16379 });
    for (const name of ['shop-6', 'shop-7', 'shop-8']) await ports.replicate({ ...one, name }, 'x', 'm1');
    calls.length = 0;
    return ports.readNode(...pod);
  };
  const plan = planScale(snapshot({}, { bundled: true }), { pods: 9 });
  await act(plan, { ...ports, readNode });
  assert.deepEqual(calls, ['replicate shop-8 m0', 'replicate shop-7 m2']);
});

test('a new server that holds keys is not joined', async () => {
  const { ports, calls } = world(podOf, 7);
  await assert.rejects(
    act(planScale(snapshot(), { pods: 7 }), ports),
    /shop-6 is in no cluster but holds 7 keys/,
  );
  assert.equal(calls.length, 1);
});

test('a pod that cannot start ends the waiting with its name and the reason', async () => {
  const cases: [Partial<PodFacts>, RegExp][] = [
    [
      { reason: 'ImagePullBackOff', reasonMessage: 'not found' },
      /Pod shop-6 cannot pull its image redis:7.0.15 \(ImagePullBackOff\): not found/,
    ],
    [
      { reason: 'Unschedulable', reasonMessage: '0/3 nodes are available' },
      /Pod shop-6 cannot be scheduled.*0\/3 nodes/,
    ],
    [
      { reason: 'CrashLoopBackOff', reasonMessage: 'back-off', restarts: 3 },
      /Pod shop-6 keeps crashing.*FATAL CONFIG FILE ERROR/,
    ],
    [
      { reason: 'CreateContainerConfigError', reasonMessage: 'secret "x" not found' },
      /Pod shop-6 cannot start.*secret "x"/,
    ],
    [{ reason: 'ContainerCreating' }, /Nothing has changed for 5 minutes/],
  ];
  for (const [parts, message] of cases) {
    const { ports } = world((ordinal) => podOf(ordinal, { ready: false, phase: 'Pending', ...parts }));
    await assert.rejects(act(planScale(snapshot(), { pods: 7 }), ports), message);
  }
});

test('agents of our manifests are left to join the pods', async () => {
  const { ports, calls, stop } = world();
  const plan = planScale(snapshot({}, { bundled: true }), { pods: 7 });
  const stopped: JoinPorts = {
    ...ports,
    delay: async (milliseconds, signal) => {
      await ports.delay(milliseconds, signal);
      if (ports.now() > 60_000) stop.abort();
    },
  };
  await assert.rejects(act(plan, stopped), isAbort);
  assert.deepEqual(calls, ['scale shop 6 7']);
});
