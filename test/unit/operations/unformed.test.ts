import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { isUnformed } from '../../../src/model/unformed.ts';
import { planFix } from '../../../src/operations/fix.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import { ids, line, snapshotOf, source } from '../sample.ts';

/** Servers that know nobody and own nothing, but for what is given. */
function isolated(changes: Parameters<typeof source>[1] = {}): ClusterSnapshot {
  return snapshotOf(
    ids.map((id, index) =>
      source(id, {
        self: line(`m${index}`, { id, slots: [] }),
        others: [],
        slotsAssigned: 0,
        keys: 0,
        clusterState: 'fail',
        replication: { role: 'master', offset: 0, replicas: [] },
        ...changes,
      }),
    ),
  );
}

describe('servers that never formed a cluster', () => {
  test('are known by knowing nobody and owning nothing, also while a handshake is under way', () => {
    assert.ok(isUnformed(isolated()));
    assert.ok(isUnformed(isolated({ others: [line('m9', { flags: ['handshake'], slots: [] })] })));
    assert.ok(!isUnformed(snapshotOf(ids.map((id) => source(id)))));
    assert.ok(!isUnformed(isolated({ others: [line('m9', { slots: [] })] })), 'they know somebody');
    assert.ok(!isUnformed(snapshotOf([])), 'nothing was read');
  });

  test('are those too that only know each other, as after a Form that was stopped, as long as all are empty', () => {
    const introduced = (keys: number): ClusterSnapshot => {
      const selves = ids.map((_, index) => line(`m${index}`, { slots: [], flags: ['master'] }));
      const others = (own: number): typeof selves => selves.filter((_, index) => index !== own);
      const sources = selves.map((self, index) =>
        source(`m${index}`, { self, others: others(index), slotsAssigned: 0, keys, clusterState: 'fail' }),
      );
      return { ...snapshotOf(sources), workloads: [] };
    };
    assert.ok(isUnformed(introduced(0)));
    assert.ok(!isUnformed(introduced(1)), 'somebody may own the slots of those keys');
    const findings = check(introduced(0));
    assert.deepEqual(
      findings.map(({ rule, message }) => [rule, message]),
      [['not-formed', 'No cluster has been formed yet: 6 servers run, and none owns hash slots.']],
    );
  });

  test('name what Form would refuse instead of naming Form', () => {
    const alone = { ...isolated(), workloads: [], ref: { addresses: ['127.0.0.1:1'] } };
    const remedyOf = (snapshot: ClusterSnapshot): string =>
      check(snapshot).find(({ rule }) => rule === 'not-formed')?.remedy ?? '';
    const failure = { reason: 'timeout', message: 'No answer.' } as const;
    assert.match(remedyOf(alone), /^“Form Cluster…” creates/);
    const unread = [{ address: '127.0.0.1:1', failure }];
    assert.match(remedyOf({ ...alone, unread }), /^Make 127\.0\.0\.1:1 readable first/);
    assert.match(remedyOf({ ...alone, nodes: alone.nodes.slice(0, 2) }), /needs at least 3 servers: add all/);
    const [set] = isolated().workloads;
    assert.ok(set);
    const few = { ...isolated(), nodes: isolated().nodes.slice(0, 2) };
    const sized = (replicas: number): ClusterSnapshot => ({
      ...few,
      workloads: [{ ...set, bundled: false, replicas }],
    });
    assert.match(remedyOf(sized(2)), /needs at least 3 servers: raise the number of pods/);
    assert.match(remedyOf(sized(6)), /^Wait: cart is starting pods/);
  });

  test('are one finding whose remedy is to form a cluster, or to wait where agents do it', () => {
    const [bundled] = isolated().workloads;
    assert.ok(bundled);
    const foreign = { ...isolated(), workloads: [{ ...bundled, bundled: false }] };
    const remedies = (snapshot: ClusterSnapshot): string =>
      check(snapshot)
        .map(({ message, remedy }) => `${message} ${remedy ?? ''}`)
        .join('\n');
    assert.match(remedies(foreign), /No cluster has been formed yet: 6 servers .* “Form Cluster…” creates/);
    assert.match(remedies(isolated()), /Wait: the pods’ agents form it/);
    assert.doesNotMatch(remedies(foreign), /Fix|Heal|Forget/);
  });

  test('are neither fixed into one-node clusters nor healed', () => {
    const refused = /No cluster has been formed yet: cart-0, cart-1, .*“Form Cluster…”.*Nothing was changed/;
    assert.throws(() => planFix(isolated(), new Map()), refused);
    const facts = { keys: new Map(), disputes: new Map(), announced: new Map() };
    assert.throws(() => planHeal(isolated(), facts), refused);
  });
});
