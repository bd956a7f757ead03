import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { verdictText } from '../../../src/checks/verdict.ts';
import type { Source } from '../../../src/inventory/source.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot, PodFacts, WorkloadFacts } from '../../../src/model/snapshot.ts';
import { planForget } from '../../../src/operations/forget.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';
import { sketchOf, type Sketch } from '../operations/sketch.ts';

const set: WorkloadFacts = {
  kind: 'StatefulSet',
  name: 'cart',
  replicas: 6,
  readyReplicas: 6,
  bundled: false,
};
const found = (snapshot: ClusterSnapshot, rule: string): Finding | undefined =>
  check(snapshot).find((finding) => finding.rule === rule);
const remedies = (snapshot: ClusterSnapshot): string =>
  check(snapshot)
    .map(({ remedy }) => remedy ?? '')
    .join('\n');

/** A cluster whose members of these ids are flagged failed and have no pod any more. */
function without(
  gone: readonly string[],
  workload: Partial<WorkloadFacts>,
  hostname = false,
): ClusterSnapshot {
  const left = ids.filter((id) => !gone.includes(id));
  const lineOf = (id: string): ReturnType<typeof line> => {
    const named = hostname ? { hostname: `cart-${ids.indexOf(id)}.cart.shop.svc` } : {};
    const usual = line(id, named);
    return gone.includes(id)
      ? { ...usual, flags: [...usual.flags, 'fail'], linkState: 'disconnected' }
      : usual;
  };
  const sources = left.map((id) =>
    source(id, { others: ids.filter((other) => other !== id).map(lineOf), clusterState: 'fail' }),
  );
  return { ...snapshotOf(sources), workloads: [{ ...set, readyReplicas: left.length, ...workload }] };
}

describe('a member whose pod is gone', () => {
  test('for a StatefulSet scaled below its members, scaling back is the way, not Fix or Forget', () => {
    for (const hostname of [true, false]) {
      const snapshot = without(['m2', 'r0', 'r1', 'r2'], { replicas: 2, readyReplicas: 2 }, hostname);
      const finding = found(snapshot, 'scaled-down');
      assert.equal(finding?.severity, 'error');
      assert.equal(finding.message, 'StatefulSet cart has spec.replicas 2, and the cluster has 6 members.');
      assert.match(
        finding.remedy ?? '',
        /“Scale…” to 6 pods starts the missing ones again with their volumes/,
      );
      assert.doesNotMatch(remedies(snapshot), /Fix|Forget/);
    }
  });

  test('without slots is brought back by scaling, or else forgotten: only a person knows which', () => {
    const snapshot = without(['r2'], { replicas: 5, readyReplicas: 5 });
    const scale = /If StatefulSet cart was scaled down, “Scale…” to 6 pods starts the missing ones again/;
    assert.match(found(snapshot, 'unknown-node')?.remedy ?? '', scale);
    const isolated = check(snapshot).find(
      ({ rule, nodeIds }) => rule === 'no-replica' && nodeIds[0] === 'm2',
    );
    assert.match(isolated?.remedy ?? '', scale);
    assert.match(planForget(snapshot, {}).warnings[0] ?? '', scale);
    const { remedy = '' } =
      found(without(['r2'], { replicas: 5, readyReplicas: 5 }, true), 'unknown-node') ?? {};
    assert.match(remedy, /“Scale…” to more pods starts cart-5 again/);
  });

  test('whose StatefulSet still expects it is being replaced: wait', () => {
    const snapshot = without(['m2'], {}, true);
    assert.match(found(snapshot, 'reachable')?.remedy ?? '', /Wait: pod cart-2 is being replaced/);
    assert.doesNotMatch(remedies(snapshot), /Fix|Forget/);
    const nameless = without(['m2'], {});
    assert.match(
      found(nameless, 'reachable')?.remedy ?? '',
      /Wait: cart is starting pods \(5 of 6 are ready\)/,
    );
    assert.doesNotMatch(remedies(nameless), /Fix|Forget/);
  });

  test('and whose pod runs another node now is lost: only then its slots may be given away', () => {
    const gone = without(['m2', 'r2'], {});
    const anew = [2, 5].map((index) => ({
      ...line(`m${index + 3}`, { slots: [] }),
      host: `10.0.9.${index}`,
    }));
    const sources = [
      ...gone.nodes.flatMap(({ view: said, pod: facts, id }) =>
        said === undefined || facts === undefined
          ? []
          : [
              {
                pod: facts,
                reading: { tried: true, view: { ...said, others: [...said.others, ...anew] }, lastId: id },
              },
            ],
      ),
      ...anew.map((self, index) => ({
        pod: pod(`cart-${index === 0 ? 2 : 5}`, self.host),
        reading: {
          tried: true,
          lastId: self.id,
          view: {
            ...view('m0'),
            self,
            others: [...ids.map((id) => line(id)), ...anew.filter((other) => other !== self)],
          },
        },
      })),
    ];
    const snapshot = { ...snapshotOf(sources), workloads: [set] };
    assert.match(found(snapshot, 'reachable')?.remedy ?? '', /“Fix Uncovered Slots…”/);
  });

  test('is offered to be forgotten only where forgetting is not refused', () => {
    for (const health of ['failed', 'unreachable'] as const) {
      for (const slots of [[], [[0, 99]]] as const) {
        const snapshot = sketchOf({ d: { health, slots } });
        const remedy = check(snapshot).find(({ nodeIds }) => nodeIds.includes('d'))?.remedy ?? '';
        let isRefused = false;
        try {
          planForget(snapshot, { node: 'd' });
        } catch {
          isRefused = true;
        }
        assert.ok(!(remedy.includes('Forget') && isRefused), `${health} ${String(slots)}: ${remedy}`);
      }
    }
  });
});

test('while a StatefulSet starts its first pods nothing is fixed', () => {
  const starting = ids.slice(2).map((_, index) => ({
    pod: pod(`cart-${index + 2}`, '', { phase: 'Pending', ready: false }),
    reading: { tried: true },
  }));
  const sources = ids.slice(0, 2).map((id) => source(id, { others: [line(id === 'm0' ? 'm1' : 'm0')] }));
  const snapshot = { ...snapshotOf([...sources, ...starting]), workloads: [{ ...set, readyReplicas: 2 }] };
  assert.match(found(snapshot, 'coverage')?.remedy ?? '', /Wait: cart is starting pods \(2 of 6 are ready\)/);
  assert.equal(found(snapshot, 'loose-pod')?.message, 'Pod cart-2 is starting: Pending.');
  assert.doesNotMatch(remedies(snapshot), /Fix|Forget|Add a replica/);
});

test('two of three masters dead: who has their data, and that no replica can be elected', () => {
  const masters = ['m1', 'm2'];
  const living = (linkState: KnownNode['linkState']): readonly Source[] =>
    ['m0', 'r0', 'r1', 'r2'].map((id) => {
      const { others } = view(id);
      return source(id, {
        others: others.map((one) => (masters.includes(one.id) ? { ...one, linkState } : one)),
      });
    });
  const snapshot = snapshotOf([...masters.map(silent), ...living('disconnected')]);
  const finding = found(snapshot, 'no-majority');
  assert.equal(
    finding?.message,
    '2 of 3 voting masters are gone (cart-1, cart-2), so no replica can be elected; cart-4, cart-5 have their data.',
  );
  assert.match(finding.remedy ?? '', /“Promote Replica…” with a takeover needs no votes/);
  assert.doesNotMatch(remedies(snapshot), /Fix|Forget/);
  const connected = snapshotOf([...masters.map(silent), ...living('connected')]);
  assert.equal(found(connected, 'no-majority'), undefined, 'they vote: other nodes are connected to them');
  assert.doesNotMatch(remedies(connected), /Promote/);
});

test('members that only this machine may not read are not called dead, and the reason says what to do', () => {
  const failure = { reason: 'password', message: 'Redis did not accept the password.', since: 1 } as const;
  const unread = ['m1', 'm2', 'r0'].map((id) => ({
    ...silent(id),
    reading: { tried: true, failure, lastId: id },
  }));
  const snapshot = snapshotOf([...unread, ...['m0', 'r1', 'r2'].map((id) => source(id))]);
  const messages = check(snapshot).map(({ message }) => message);
  assert.deepEqual(messages, [
    'Master cart-1 could not be read: it requires a password.',
    'Master cart-2 could not be read: it requires a password.',
    'Replica cart-3 could not be read: it requires a password.',
    'It is unknown whether a replica could take over from cart-0.',
  ]);
  assert.match(found(snapshot, 'reachable')?.remedy ?? '', /None was found in the Secrets/);
  assert.doesNotMatch(remedies(snapshot), /Promote|Fix|Forget|logs/);
});

test('servers that never formed a cluster are told apart from a broken one', () => {
  const isolated = ids.map((id) =>
    source(id, {
      self: line(`m${ids.indexOf(id)}`, { slots: [] }),
      others: [],
      clusterState: 'fail',
      keys: 0,
    }),
  );
  const snapshot = { ...snapshotOf(isolated), workloads: [set] };
  const [finding, ...others] = check(snapshot);
  assert.deepEqual(others, []);
  assert.equal(finding?.message, 'No cluster has been formed yet: 6 servers run, and none knows another.');
  assert.match(finding.remedy ?? '', /“Form Cluster…”/);
  const own = { ...snapshot, workloads: [{ ...set, bundled: true }] };
  assert.match(remedies(own), /agents form it/);
  const full = {
    ...snapshot,
    nodes: snapshot.nodes.map((node) => ({ ...node, view: { ...view('m0', node.view), keys: 5 } })),
  };
  assert.doesNotMatch(remedies(full), /Form Cluster/);
});

test('a pod that has ended, is being deleted, crashes or has not joined each has its own remedy', () => {
  const remedyOf = (changes: Partial<PodFacts>, failure = false): readonly (string | undefined)[] => {
    const facts = pod('cart-6', '10.0.9.9', changes);
    const reading = failure
      ? { tried: true, failure: { reason: 'pod', message: 'It does not run.' } as const }
      : {
          tried: true,
          lastId: 'm9',
          view: view('m0', { self: line('m9', { slots: [] }), others: [], keys: 0 }),
        };
    const snapshot = {
      ...snapshotOf([...ids.map((id) => source(id)), { pod: facts, reading }]),
      workloads: [{ ...set, replicas: 7 }],
    };
    const finding = check(snapshot).find(({ message }) => message.includes('cart-6'));
    return [finding?.message, finding?.remedy];
  };
  assert.deepEqual(remedyOf({ phase: 'Failed', reason: 'NodeShutdown', ready: false }, true), [
    'Pod cart-6 has terminated (NodeShutdown) and is not replaced.',
    '“Replace Terminated Pods…” deletes pod cart-6, so that its StatefulSet starts it again; its volume is kept.',
  ]);
  const ended = { phase: 'Failed', reason: 'NodeShutdown', ready: false, workload: 'other' };
  assert.match(String(remedyOf(ended)[1]), /^Nothing owns pod cart-6/);
  assert.deepEqual(remedyOf({ deleting: true }), ['Pod cart-6 is being deleted.', 'Wait until it is gone.']);
  assert.match(
    String(remedyOf({ reason: 'CrashLoopBackOff', ready: false }, true)),
    /not running: CrashLoopBackOff.*logs/,
  );
  assert.match(
    String(remedyOf({})),
    /has not joined.*“Scale…” to the current number of pods \(7\) joins it as a replica/,
  );
});

test('a replica before its first sync is waited for, one that is there is not missed, and texts read as sentences', () => {
  const copying = source('r2', {
    replication: { role: 'replica', offset: 0, linkUp: false, syncing: true, replicas: [] },
  });
  const snapshot = snapshotOf([...ids.slice(0, 5).map((id) => source(id)), copying]);
  const finding = found(snapshot, 'no-replica');
  assert.equal(finding?.remedy, 'Wait until cart-5 has copied its data.');
  assert.deepEqual(finding.evidence, ['Its replica cart-5 is unhealthy.']);
  assert.deepEqual(found(sketchOf(), 'no-replica')?.evidence, ['It has no replicas.']);
});

test('a master that came back without its volume: what holds nothing does not keep its slots from being fixed', () => {
  const lost = without(['m1', 'r1'], { replicas: 5, readyReplicas: 5 });
  const [empty] = snapshotOf([source('m1', { self: line('m9', { slots: [] }), others: [], keys: 0 })]).nodes;
  assert.ok(empty?.pod !== undefined);
  const part = { nodes: [empty], keys: 0, slots: [], why: 'lost-volume' } as const;
  const snapshot = { ...lost, otherParts: [part], loosePods: [empty.pod] };
  const { remedy = '' } = check(snapshot).find(({ nodeIds }) => nodeIds[0] === 'm1') ?? {};
  assert.match(remedy, /“Fix Uncovered Slots…”/);
  assert.match(found(snapshot, 'loose-pod')?.remedy ?? '', /^Once the other problems are solved, “Scale…”/);
  const full = { ...snapshot, otherParts: [{ ...part, keys: 92, why: 'lost-identity' as const }] };
  assert.doesNotMatch(remedies(full), /Fix Uncovered/);
  assert.equal(found(full, 'loose-pod'), undefined, 'as a replica it would lose its keys');
});

test('a cluster that serves nothing is not said to serve all slots, whatever is expected', () => {
  const blank = ids.map((id) => source(id, { self: line(id, { slots: [] }), others: [], keys: 0 }));
  const starting = { ...snapshotOf(blank), workloads: [{ ...set, readyReplicas: 5 }] };
  const work = [{ title: 'StatefulSet cart is starting pods', operation: 'podsStarting' }];
  const findings = check(starting, work);
  assert.equal(isSound(findings), false, 'nobody forms a cluster of plain pods by itself');
  const own = { ...starting, workloads: [{ ...set, readyReplicas: 5, bundled: true }] };
  assert.match(verdictText(own, check(own, work)), /^cart does not serve all slots yet/);
});

describe('a silent replica of a silent master', () => {
  const away: Sketch = { health: 'failed', slots: [[0, 5460]] };
  const snapshot = sketchOf({ a: away, r: { masterId: 'a', health: 'failed' } });

  test('may have the last copy of its shard, so it is neither forgotten nor is that advised', () => {
    const replica = check(snapshot).find(({ nodeIds }) => nodeIds[0] === 'r');
    assert.match(replica?.remedy ?? '', /^Start its server again .*last copy of the slots/);
    assert.doesNotMatch(replica?.remedy ?? '', /Forget/);
    assert.throws(() => planForget(snapshot, { node: 'r' }), /may have the last copy.*Nothing was changed/);
    assert.throws(() => planForget(snapshot, {}), /nothing to forget/);
  });

  test('is forgotten where another replica answers, or its master', () => {
    const linkUp = { role: 'replica' as const, offset: 0, linkUp: true, replicas: [] };
    const other = sketchOf({
      a: away,
      r: { masterId: 'a', health: 'failed' },
      s: { masterId: 'a', view: { replication: linkUp } },
    });
    assert.equal(planForget(other, { node: 'r' }).steps.length, 1);
    const master = sketchOf({ r: { masterId: 'a', health: 'failed' } });
    assert.equal(planForget(master, { node: 'r' }).steps.length, 1);
  });

  test('leaves the finding about the master to speak: no replica waits for a copy of a dead master', () => {
    const lost = { role: 'replica' as const, offset: 0, linkUp: false, replicas: [] };
    const orphan = sketchOf({
      a: away,
      s: { masterId: 'a', health: 'degraded', view: { replication: lost } },
    });
    const rules = check(orphan).flatMap(({ rule, nodeIds }) => (nodeIds.includes('b') ? [] : [rule]));
    assert.ok(!rules.includes('replica-link'));
    const bare = check(orphan).filter(({ rule }) => rule === 'no-replica');
    assert.ok(bare.every(({ nodeIds }) => nodeIds[0] !== 'a'));
  });
});
