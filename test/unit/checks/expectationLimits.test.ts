import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { workloadWork } from '../../../src/checks/workloadWork.ts';
import { History } from '../../../src/model/history.ts';
import type { ClusterSnapshot, PodFacts, RedisNode, RunningWork } from '../../../src/model/snapshot.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

const restart: RunningWork = { title: 'Rolling restart of cart', operation: 'rollingRestart' };
const upgrade: RunningWork = { title: 'Upgrade cart', operation: 'upgrade' };
const scale: RunningWork = { title: 'Scale', operation: 'scale' };

/** Some servers do not answer, and are in pods of which Kubernetes says this. */
function away(names: readonly string[], facts: Partial<PodFacts> = {}): ClusterSnapshot {
  const snapshot = snapshotOf(
    ids.map((id) => {
      const others = view(id).others.map((one) =>
        names.includes(one.id) ? { ...one, linkState: 'disconnected' as const } : one,
      );
      return names.includes(id) ? silent(id) : source(id, { others });
    }),
  );
  return withPods(snapshot, names, facts);
}

function withPods(
  snapshot: ClusterSnapshot,
  names: readonly string[],
  facts: Partial<PodFacts>,
): ClusterSnapshot {
  const nodes = snapshot.nodes.map((node): RedisNode =>
    node.pod !== undefined && names.includes(node.id) ? { ...node, pod: { ...node.pod, ...facts } } : node,
  );
  return { ...snapshot, nodes };
}

/** The rules of the faults in a reading in which all was found for so many seconds. */
function faultsAfter(
  seconds: number,
  snapshot: ClusterSnapshot,
  ...running: readonly RunningWork[]
): readonly string[] {
  const first = { ...snapshot, history: new History() };
  check(first, running);
  return check({ ...first, takenAt: first.takenAt + seconds * 1_000 }, running)
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule }) => rule);
}

test('a shard that is lost during an upgrade is an error at once, whatever runs', () => {
  for (const work of [upgrade, restart, scale, { title: 'rollout', operation: 'rollout' }]) {
    const lost = away(['m1', 'r1'], { phase: 'Pending', ready: false });
    assert.ok(!isSound(check(lost, [work])), work.title);
    assert.deepEqual(faultsAfter(0, lost, work).slice(0, 2), ['reachable', 'reachable']);
  }
});

test('slots of a master that is restarted are an error after the time of a failover', () => {
  const lost = away(['m1'], { deleting: true });
  assert.deepEqual(faultsAfter(0, lost, restart), []);
  assert.deepEqual(faultsAfter(30, lost, upgrade), []);
  assert.ok(faultsAfter(41, lost, upgrade).includes('reachable'));
  const bare = { ...lost, nodes: lost.nodes.filter(({ id }) => id !== 'r1') };
  assert.ok(faultsAfter(0, bare, restart).includes('reachable'), 'nobody can take over');
});

test('a replica is away as long as its pod starts, and a minute where its server runs and is silent', () => {
  const starting = away(['r1'], { phase: 'Pending', ready: false, reason: 'ContainerCreating' });
  assert.deepEqual(faultsAfter(600, starting, upgrade), []);
  const silentPod = away(['r1']);
  assert.deepEqual(faultsAfter(50, silentPod, upgrade), []);
  assert.ok(faultsAfter(61, silentPod, upgrade).includes('reachable'));
  const ended = away(['r1'], { phase: 'Succeeded', ready: false, reason: 'Ended' });
  assert.deepEqual(faultsAfter(10, ended, upgrade), [], 'it is about to be replaced');
  assert.ok(faultsAfter(31, ended, upgrade).includes('reachable'));
  const failed = away(['r1'], { phase: 'Failed', ready: false, reason: 'Evicted' });
  assert.ok(faultsAfter(0, failed, upgrade).includes('reachable'));
  const stuck = away(['r1'], { deleting: true });
  assert.ok(faultsAfter(121, stuck, upgrade).includes('reachable'), 'its worker does not end it');
});

test('slots that are handed over are served in the next reading, or by nobody', () => {
  const torn = snapshotOf(
    ids.map((id) => {
      const others = view(id).others.map((other) => {
        const owned = { ...line('m1'), slots: [[0, 10922] as const] };
        if (other.id === 'm0') return line('m0', { slots: [] });
        return other.id === 'm1' && id === 'm0' ? owned : other;
      });
      return source(id, { others, ...(id === 'm0' ? { self: line('m0', { slots: [] }) } : {}) });
    }),
  );
  for (const work of [restart, upgrade, { title: 'Reshard', operation: 'reshard' }]) {
    assert.ok(!faultsAfter(3, torn, work).includes('coverage'), work.title);
    assert.ok(faultsAfter(11, torn, work).includes('coverage'), work.title);
  }
  assert.ok(faultsAfter(0, torn, { title: 'Forget', operation: 'forget' }).includes('coverage'));
});

test('nodes that do not agree for longer than gossip takes are a fault, but while slots move', () => {
  const others = view('r0').others.map((other) => (other.id === 'm1' ? { ...other, slots: [] } : other));
  const differ = snapshotOf(ids.map((id) => source(id, id === 'r0' ? { others } : {})));
  assert.deepEqual(faultsAfter(20, differ, restart), []);
  assert.deepEqual(faultsAfter(31, differ, restart), ['agreement']);
  assert.deepEqual(faultsAfter(300, differ, { title: 'Reshard', operation: 'reshard' }), []);
});

test('one shard at a time may be without its replica in a restart, and for a minute', () => {
  const bare = (...names: readonly string[]): ClusterSnapshot => {
    const snapshot = snapshotOf(ids.map((id) => source(id)));
    return { ...snapshot, nodes: snapshot.nodes.filter(({ id }) => !names.includes(id)) };
  };
  assert.ok(!faultsAfter(0, bare('r1'), restart).includes('no-replica'));
  assert.ok(faultsAfter(61, bare('r1'), restart).includes('no-replica'));
  assert.ok(faultsAfter(0, bare('r1')).includes('no-replica'));
  assert.ok(faultsAfter(0, bare('r1'), { title: 'Reshard', operation: 'reshard' }).includes('no-replica'));
  assert.ok(faultsAfter(0, bare('r1', 'r2'), restart).includes('no-replica'));
  const whole = snapshotOf(ids.map((id) => source(id)));
  const former = whole.nodes.find(({ id }) => id === 'm1');
  assert.ok(former !== undefined);
  const nodes = whole.nodes.map((node) => (node.id === 'r1' ? { ...former, id: 'r1' } : node));
  assert.ok(!faultsAfter(0, { ...whole, nodes }, restart).includes('no-replica'), 'both ends say master');
});

test('a pod that waits for its volume is no fault while one is made; one that waits for room is', () => {
  const unbound = 'pod has unbound immediate PersistentVolumeClaims.';
  const waits = pod('cart-6', '', { phase: 'Pending', ready: false, reason: 'Unschedulable' });
  const waitingFor = (reasonMessage: string): ClusterSnapshot => ({
    ...snapshotOf(ids.map((id) => source(id))),
    loosePods: [{ ...waits, reasonMessage }],
  });
  assert.deepEqual(faultsAfter(60, waitingFor(unbound), scale), []);
  assert.deepEqual(faultsAfter(121, waitingFor(unbound), scale), ['loose-pod']);
  assert.deepEqual(faultsAfter(0, waitingFor('Insufficient cpu.'), scale), ['loose-pod']);
  const other = {
    ...waitingFor(unbound),
    loosePods: [...waitingFor(unbound).loosePods, pod('cart-60', '', crashes)],
  };
  assert.deepEqual(faultsAfter(0, other, scale), ['loose-pod'], 'one of two pods with names alike');
});
const crashes = { phase: 'Pending', ready: false, reason: 'ImagePullBackOff' };

test('a server that came back without its data is a fault during a restart', () => {
  const snapshot = snapshotOf(ids.map((id) => source(id)));
  const { nodes } = snapshotOf([
    { pod: pod('cart-1', '10.0.0.9'), reading: source('m0', { keys: 0 }).reading },
  ]);
  const part = { nodes, keys: 0, slots: [], why: 'lost-volume' as const };
  const emptied = { ...snapshot, otherParts: [part], loosePods: [pod('cart-1', '10.0.0.9')] };
  for (const work of [restart, upgrade]) {
    assert.ok(faultsAfter(0, emptied, work).includes('loose-pod'), work.title);
  }
  assert.deepEqual(
    faultsAfter(9, emptied, scale),
    [],
    'a server that leaves is reset before its pod is gone',
  );
  assert.deepEqual(faultsAfter(11, emptied, scale), ['loose-pod']);
});

test('a pod that somebody deleted is replaced; one whose server failed is a fault', () => {
  const faults = (seconds: number, facts: Partial<PodFacts>, name = 'm1'): readonly string[] => {
    const read = { ...away([name], facts), takenAt: 1_000_000 };
    const [set] = read.workloads;
    assert.ok(set !== undefined);
    const snapshot = { ...read, workloads: [{ ...set, readyReplicas: 5 }] };
    return faultsAfter(seconds, snapshot, ...workloadWork(snapshot));
  };
  for (const name of ['m1', 'r1']) {
    assert.deepEqual(faults(10, { deleting: true }, name), []);
    assert.deepEqual(faults(10, { phase: 'Pending', ready: false }, name), []);
    const started = { ready: false, running: true, runningSince: 990_000 };
    assert.deepEqual(faults(5, started, name), []);
    assert.ok(faults(5, { ...started, restarts: 1 }, name).includes('reachable'));
    assert.ok(faults(5, { ...started, runningSince: 900_000 }, name).includes('reachable'));
    assert.ok(faults(5, { reason: 'CrashLoopBackOff', ready: false }, name).includes('reachable'));
  }
  assert.ok(faults(41, { deleting: true }).includes('reachable'), 'its replica does not take over');
  const alone = withPods({ ...away(['r1']), takenAt: 1_000_000 }, ['r1'], { deleting: true });
  assert.deepEqual(
    workloadWork(alone).map(({ title }) => title),
    ['StatefulSet cart is replacing pod cart-4'],
  );
  const two = withPods(away(['m1', 'm2']), ['m1', 'm2'], { deleting: true });
  assert.ok(!isSound(check(two, workloadWork(two))), 'two masters at once are an outage');
});

test('a server that has joined says that the cluster is down; one that serves slots is believed', () => {
  const down = (id: string, uptimeSeconds: number): ClusterSnapshot =>
    snapshotOf(ids.map((one) => source(one, one === id ? { clusterState: 'fail', uptimeSeconds } : {})));
  assert.deepEqual(faultsAfter(0, down('r2', 3), scale), []);
  assert.deepEqual(faultsAfter(0, down('m2', 3), scale), ['cluster-state']);
  assert.deepEqual(faultsAfter(5, down('m2', 3), restart), [], 'it was restarted without a failover');
  assert.deepEqual(faultsAfter(11, down('m2', 3), restart), ['cluster-state']);
  assert.deepEqual(faultsAfter(0, down('m2', 300), restart), ['cluster-state']);
});

test('members whose pods are removed are away; one that crashes while others leave is a fault', () => {
  const leaves: RunningWork = { title: 'Remove shard', operation: 'removeShard' };
  const removed = away(['r2'], { ready: false });
  const [set] = removed.workloads;
  assert.ok(set !== undefined);
  const smaller = { ...removed, workloads: [{ ...set, replicas: 5 }] };
  assert.ok(!faultsAfter(0, smaller, leaves).includes('reachable'));
  assert.ok(faultsAfter(0, removed, leaves).includes('reachable'), 'its pod stays');
});

test('servers that form no cluster within ten minutes are a fault', () => {
  const blank = (uptimeSeconds: number): ClusterSnapshot => {
    const snapshot = snapshotOf(
      ids.map((id) =>
        source(id, {
          self: line(id, { slots: [] }),
          others: [],
          keys: 0,
          clusterState: 'fail',
          uptimeSeconds,
        }),
      ),
    );
    return { ...snapshot, workloads: snapshot.workloads.map((set) => ({ ...set, readyReplicas: 0 })) };
  };
  assert.equal(isSound(check(blank(60), workloadWork(blank(60)))), true);
  assert.equal(isSound(check(blank(900), workloadWork(blank(900)))), false);
});

test('open slots are expected only where the operation that runs opens them', () => {
  const open = snapshotOf(
    ids.map((id) =>
      source(id, id === 'm1' ? { self: { ...line('m1'), migrating: [{ slot: 7, nodeId: 'm2' }] } } : {}),
    ),
  );
  const reshard = { title: 'Reshard', operation: 'reshard' };
  assert.deepEqual(faultsAfter(0, open, { ...reshard, slots: [[0, 10]] }), []);
  assert.deepEqual(faultsAfter(0, open, reshard), []);
  assert.deepEqual(faultsAfter(0, open, { ...reshard, slots: [[8, 10]] }), ['open-slots']);
});
