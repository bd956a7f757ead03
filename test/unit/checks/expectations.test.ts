import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { checkText } from '../../../src/checks/checkText.ts';
import { workloadWork } from '../../../src/checks/workloadWork.ts';
import type { ClusterSnapshot, RunningWork } from '../../../src/model/snapshot.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

const reshard: RunningWork = { title: 'Reshard 9 slots', operation: 'reshard' };
const restart: RunningWork = { title: 'Rolling restart of cart', operation: 'rollingRestart' };
const all = (): ReturnType<typeof source>[] => ids.map((id) => source(id));
const without = (...away: readonly string[]): ClusterSnapshot =>
  snapshotOf(
    ids.map((id) => {
      const { others } = view(id);
      const seen = others.map((one) =>
        away.includes(one.id) ? { ...one, linkState: 'disconnected' as const } : one,
      );
      return away.includes(id) ? silent(id) : source(id, { others: seen });
    }),
  );
const faults = (snapshot: ClusterSnapshot, ...running: readonly RunningWork[]): readonly string[] =>
  check(snapshot, running)
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule }) => rule);

const open = snapshotOf([
  source('m0', { self: line('m0', { migrating: [{ slot: 7, nodeId: 'm1' }] }) }),
  ...all().slice(1),
]);

test('open slots are expected while slots are moved, and a fault in every other hour', () => {
  assert.deepEqual(faults(open), ['open-slots']);
  assert.deepEqual(faults(open, restart), ['open-slots']);
  const [finding, ...more] = check(open, [reshard]);
  assert.deepEqual(more, []);
  assert.equal(finding?.severity, 'info');
  assert.match(finding.message, / has open hash slots: 7\b.*\. Expected while “Reshard 9 slots” runs\.$/);
  assert.equal(finding.remedy, 'Wait until it finishes, or cancel it: it then stops at a safe point.');
  assert.ok(isSound([finding]));
  assert.ok(!isSound(check(open)));
  assert.match(checkText(open, [finding], [reshard]), /\[INFO] 1 operation is running: Reshard 9 slots\.\n/);
  const ended = { ...reshard, ended: true };
  assert.deepEqual(faults(open, ended), ['open-slots'], 'slots that an operation left open are a fault');
});

test('a Lease that does not say its command explains what any operation does, and says who runs it', () => {
  const [finding] = check(open, [{ title: 'Reshard', holder: 'ann on ci-3' }]);
  assert.equal(finding?.severity, 'info');
  assert.equal(finding.remedy, 'Wait until it finishes. ann on ci-3 runs it.');
});

test('one node at a time is away in a restart; a second one, or one that nobody can replace, is a fault', () => {
  assert.deepEqual(faults(without('r1'), restart), []);
  assert.deepEqual(faults(without('m1'), restart), []);
  assert.ok(faults(without('m1')).includes('reachable'));
  assert.deepEqual(faults(without('m1', 'r1'), restart).slice(0, 2), ['reachable', 'reachable']);
  assert.deepEqual(faults(without('m0', 'm1'), restart), ['no-majority', 'reachable', 'reachable']);
  assert.ok(faults(without('r1'), reshard).includes('reachable'), 'a move restarts nothing');
  const crashing = without('r1');
  const nodes = crashing.nodes.map((node) =>
    node.pod === undefined || node.view !== undefined
      ? node
      : { ...node, pod: { ...node.pod, reason: 'CrashLoopBackOff' } },
  );
  assert.ok(faults({ ...crashing, nodes }, restart).includes('reachable'));
  const deleted = nodes.map((node) =>
    node.view === undefined && node.pod !== undefined
      ? { ...node, pod: { ...node.pod, reason: 'Error', deleting: true } }
      : node,
  );
  assert.deepEqual(faults({ ...crashing, nodes: deleted }, restart), []);
});

test('uncovered slots are never expected, but where no slot was ever assigned', () => {
  const uncovered = snapshotOf(
    ids.map((id) =>
      source(id, {
        others: view(id).others.map((other) => (other.id === 'm2' ? { ...other, slots: [] } : other)),
        ...(id === 'm2' ? { self: line('m2', { slots: [] }) } : {}),
      }),
    ),
  );
  for (const operation of ['reshard', 'scale', 'upgrade', 'deploy', 'fix', 'rollout', 'podsStarting']) {
    assert.ok(faults(uncovered, { title: operation, operation }).includes('coverage'), operation);
  }
  const empty = snapshotOf(
    ids.map((id) => source(id, { self: line(id, { slots: [] }), others: [], keys: 0, clusterState: 'fail' })),
  );
  assert.ok(faults(empty).includes('coverage'));
  assert.deepEqual(faults(empty, { title: 'Deploy', operation: 'deploy' }), []);
});

test('slots that arrived while the target had been read already are expected, slots that nobody lists are not', () => {
  const torn = (target: boolean): ClusterSnapshot =>
    snapshotOf(
      ids.map((id) => {
        const others = view(id).others.map((other) => {
          if (other.id === 'm0') return line('m0', { slots: [[10, 5460]] });
          return other.id === 'm1' && id === 'm0' && target
            ? line('m1', {
                slots: [
                  [0, 9],
                  [5461, 10922],
                ],
              })
            : other;
        });
        return source(id, { others, ...(id === 'm0' ? { self: line('m0', { slots: [[10, 5460]] }) } : {}) });
      }),
    );
  assert.ok(faults(torn(true)).includes('coverage'));
  assert.deepEqual(faults(torn(true), reshard), []);
  assert.deepEqual(faults(torn(false), reshard), ['coverage']);
});

test('a server that has just joined says that the cluster is down, one that ran for long is believed', () => {
  const down = (uptimeSeconds: number): ClusterSnapshot =>
    snapshotOf([...all().slice(0, 5), source('r2', { clusterState: 'fail', uptimeSeconds })]);
  const scale: RunningWork = { title: 'Scale', operation: 'scale' };
  assert.deepEqual(faults(down(3), scale), []);
  assert.ok(faults(down(3)).includes('cluster-state'));
  assert.ok(faults(down(300), scale).includes('cluster-state'));
});

test('servers that hold nothing are expected to stand apart while servers are added, others are not', () => {
  const { nodes } = snapshotOf([{ address: '10.0.0.9:6379', reading: source('m0').reading }]);
  const part = { nodes, keys: 0, slots: [], why: 'never-joined' as const };
  const scale: RunningWork = { title: 'Scale', operation: 'scale' };
  const apart = { ...snapshotOf(all()), otherParts: [part] };
  assert.deepEqual(faults(apart), ['loose-server']);
  assert.deepEqual(faults(apart, scale), []);
  assert.deepEqual(faults(apart, reshard), ['loose-server']);
  const withKeys = { ...part, keys: 1 };
  assert.deepEqual(faults({ ...apart, otherParts: [part, withKeys] }, scale), ['apart']);
  const emptied = { ...part, why: 'lost-volume' as const };
  assert.deepEqual(faults({ ...apart, otherParts: [emptied] }, scale), ['loose-server']);
});

test('nodes may differ for a few seconds after an operation, and no longer', () => {
  const others = view('r0').others.map((other) => (other.id === 'm1' ? { ...other, slots: [] } : other));
  const differ = snapshotOf([...all().filter((_, at) => ids[at] !== 'r0'), source('r0', { others })]);
  assert.deepEqual(faults(differ), ['agreement']);
  assert.deepEqual(faults(differ, { ...reshard, ended: true }), []);
  assert.match(
    check(differ, [{ ...reshard, ended: true }])[0]?.message ?? '',
    /\. Expected just after “Reshard/,
  );
});

test('what kubectl does to a StatefulSet is work as well', () => {
  const [workload] = open.workloads;
  assert.ok(workload !== undefined);
  const rolling = { ...without('r1'), workloads: [{ ...workload, rollout: { updated: 3, of: 6 } }] };
  const [work] = workloadWork(rolling);
  assert.equal(work?.title, 'StatefulSet cart is rolling out: 3 of 6 pods updated');
  assert.deepEqual(faults(rolling, work), []);
  const pending = pod('cart-6', '10.0.2.0', {
    ...{ phase: 'Pending', ready: false, reason: 'Unschedulable' },
    reasonMessage: 'pod has unbound immediate PersistentVolumeClaims.',
  });
  const starting = {
    ...snapshotOf(all()),
    loosePods: [pending],
    workloads: [{ ...workload, replicas: 7 }],
  };
  assert.deepEqual(faults(starting), ['loose-pod']);
  assert.deepEqual(faults(starting, ...workloadWork(starting)), []);
  const stuck = { ...starting, loosePods: [{ ...pending, reason: 'ImagePullBackOff' }] };
  assert.deepEqual(faults(stuck, ...workloadWork(stuck)), ['loose-pod']);
  const crashed = { ...without('m1'), workloads: [{ ...workload, readyReplicas: 5 }] };
  assert.ok(faults(crashed, ...workloadWork(crashed)).includes('reachable'), 'a crash is no scale-up');
  assert.deepEqual(workloadWork(open), []);
});

test('a replica connects again after its master was restarted, and is not away for good within that time', () => {
  const restarted = (uptimeSeconds: number): ClusterSnapshot =>
    snapshotOf([
      source('m0', { uptimeSeconds }),
      ...['m1', 'm2'].map((id) => source(id, { uptimeSeconds: 900 })),
      ...['r1', 'r2'].map((id) => source(id, { uptimeSeconds: 900 })),
      source('r0', {
        uptimeSeconds: 900,
        replication: { role: 'replica', offset: 900, linkUp: false, syncing: false, replicas: [] },
      }),
    ]);
  const young = restarted(5);
  assert.deepEqual(faults(young, ...workloadWork(young)), []);
  assert.deepEqual(workloadWork(restarted(900)), []);
  assert.deepEqual(faults(restarted(900)), ['replica-link', 'no-replica']);
});

test('a replica of which only a line is left while its pod is replaced is expected back, and said to be missed', () => {
  const gone = snapshotOf(
    ids
      .filter((id) => id !== 'r1')
      .map((id) =>
        source(id, {
          others: view(id).others.map((one) =>
            one.id === 'r1' ? { ...one, flags: ['slave', 'fail'], linkState: 'disconnected' } : one,
          ),
        }),
      ),
  );
  assert.deepEqual(faults(gone, { title: 'rolling out', operation: 'rollout' }), []);
  const finding = check(gone).find(({ rule }) => rule === 'no-replica');
  assert.deepEqual(finding?.evidence, ['Not found: its replica r1.']);
});
