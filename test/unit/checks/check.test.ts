import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { checkText } from '../../../src/checks/checkText.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { sketchOf } from '../operations/sketch.ts';
import { ids, line, pod, silent, snapshotOf, source, view } from '../sample.ts';

const rulesOf = (sources: Parameters<typeof snapshotOf>[0]): readonly string[] =>
  check(snapshotOf(sources)).map((finding) => finding.rule);

test('a healthy cluster has no findings and reads like redis-cli', () => {
  const snapshot = snapshotOf(ids.map((id) => source(id)));
  const findings = check(snapshot);
  assert.deepEqual(findings, []);
  assert.ok(isSound(findings));
  const text = checkText(snapshot, findings);
  for (const part of [
    '10.0.0.0:6379 (m0...) -> 100 keys | 5461 slots | 1 slaves.',
    '[OK] 300 keys in 3 masters.',
    'M: m1 10.0.0.1:6379\n   slots:[5461-10922] (5462 slots) master\n   1 additional replica(s)',
    'S: r2 10.0.1.2:6379\n   slots: (0 slots) slave\n   replicates m2',
    '[OK] All nodes agree about slots configuration.\n>>> Check for open slots...\n>>> Check slots coverage...\n[OK] All 16384 slots covered.',
  ]) {
    assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
  }
});

test('a master that does not answer is an error and leaves its shard named', () => {
  const findings = check(snapshotOf([silent('m0'), ...ids.slice(1).map((id) => source(id))]));
  assert.deepEqual(
    [findings[0]?.rule, findings[0]?.severity, findings[0]?.nodeIds],
    ['reachable', 'error', ['m0']],
  );
  assert.ok(!isSound(findings));
});

test('slots without an owner are uncovered', () => {
  const others = (id: string) =>
    view(id).others.map((other) => (other.id === 'm2' ? { ...other, slots: [] } : other));
  const sources = ids.map((id) =>
    source(id, {
      others: others(id),
      ...(id === 'm2' ? { self: line('m2', { slots: [[10923, 16000]] }) } : {}),
    }),
  );
  const finding = check(snapshotOf(sources)).find((one) => one.rule === 'coverage');
  assert.deepEqual(finding?.slots, [[16001, 16383]]);
});

test('open slots, lost links, loading, loose pods and disagreement are each found', () => {
  const rest = ids.slice(1).map((id) => source(id));
  const migrating = source('m0', { self: line('m0', { migrating: [{ slot: 7, nodeId: 'm1' }] }) });
  assert.deepEqual(rulesOf([migrating, ...rest]), ['open-slots']);
  const whole = ids.slice(0, 5).map((id) => source(id));
  const linkDown = source('r2', {
    replication: { role: 'replica', offset: 1, linkUp: false, syncing: false, replicas: [] },
  });
  assert.deepEqual(rulesOf([...whole, linkDown]), ['replica-link', 'no-replica']);
  assert.ok(rulesOf([...whole, source('r2', { loading: true })]).includes('loading'));
  const waiting = { pod: pod('cart-6', '10.0.9.9', { phase: 'Pending' }), reading: { tried: true } };
  assert.deepEqual(rulesOf([...ids.map((id) => source(id)), waiting]), ['loose-pod']);
  const dissenter = source('r2', {
    others: view('r2').others.map((one) => (one.id === 'm0' ? { ...one, slots: [[0, 99]] } : one)),
  });
  const disagreement = check(snapshotOf([...whole, dissenter])).find((one) => one.rule === 'agreement');
  assert.deepEqual(disagreement?.nodeIds, ['r2']);
});

test('a shard without a replica is shown the master without slots that could become one', () => {
  const remedies = (snapshot: ClusterSnapshot): readonly (string | undefined)[] =>
    check(snapshot).flatMap(({ rule, remedy }) => (rule === 'no-replica' ? [remedy] : []));
  const usual = ['b', 'c'].map(() => 'Add a server as its replica: no other master has one to spare.');
  assert.deepEqual(remedies(sketchOf()), usual);
  assert.deepEqual(remedies(sketchOf({ d: { health: 'unreachable' } })), usual);
  const sparing = ['b', 'c'].map(() => 'Add a replica, or move one here with “Move or Spread Replicas…”.');
  const linkUp = { role: 'replica' as const, offset: 0, linkUp: true, replicas: [] };
  const replica = { masterId: 'a', view: { replication: linkUp } };
  assert.deepEqual(remedies(sketchOf({ s: replica })), sparing);
  for (const remedy of remedies(sketchOf({ d: {} })))
    assert.match(remedy ?? '', /:6100 has no slots: .*Spread/);
});

test('a failed master is shown the replica that can take over, or the way to give its slots away', () => {
  const failed = { slots: [[0, 5460]] as const, health: 'failed' } as const;
  const remedy = (snapshot: ClusterSnapshot): string | undefined =>
    check(snapshot).find(({ rule, nodeIds }) => rule === 'reachable' && nodeIds.includes('a'))?.remedy;
  const copy = (keys: number): { masterId: string; view: { keys: number } } => ({
    ...{ masterId: 'a', view: { keys } },
  });
  assert.match(
    remedy(sketchOf({ a: failed, r: copy(0), s: copy(5) })) ?? '',
    /If \S+:6115 does not take over .*“Promote Replica…” promotes it: \S+:6115 \(5 keys\), \S+:6114 \(0 keys\)/,
  );
  assert.match(
    remedy(sketchOf({ a: failed })) ?? '',
    /^Start its server again with its data: \S+:6114 \(0 keys\) cannot replace it if it held keys/,
  );
  const alone = sketchOf({ a: failed, r: { masterId: 'a', health: 'failed' } });
  assert.match(remedy(alone) ?? '', /“Fix Uncovered Slots…”/);
  assert.doesNotMatch(remedy(sketchOf({ a: { ...failed, health: 'unreachable' } })) ?? '', /Promote|Fix/);
  const gone = { slots: [[5461, 10_922]] as const, health: 'unreachable' } as const;
  const minority = remedy(sketchOf({ a: { ...failed, health: 'unreachable' }, b: gone, r: copy(5) })) ?? '';
  assert.match(minority, /Most masters do not answer.*“Promote Replica…” makes .* the master of its slots/);
  assert.doesNotMatch(minority, /Forget|Fix/);
});

test('a master at its memory limit refuses writes unless it evicts, and the cluster is sound all the same', () => {
  const rest = ids.slice(1).map((id) => source(id));
  const full = { usedMemoryBytes: 1100, maxMemoryBytes: 1000 };
  const findings = check(snapshotOf([source('m0', full), ...rest]));
  assert.deepEqual(
    findings.map(({ rule, severity, nodeIds }) => [rule, severity, nodeIds]),
    [['memory-full', 'error', ['m0']]],
  );
  assert.ok(isSound(findings));
  assert.deepEqual(
    check(snapshotOf([source('m0', { ...full, uncountedMemoryBytes: 110 }), ...rest])).map(
      (finding) => finding.severity,
    ),
    ['warning'],
  );
  assert.deepEqual(rulesOf([source('m0', { ...full, evictionPolicy: 'allkeys-lru' }), ...rest]), []);
  assert.deepEqual(rulesOf([source('m0', { ...full, maxMemoryBytes: 0 }), ...rest]), []);
});

test('a server that cannot write to its disk is found', () => {
  const rest = ids.slice(1).map((id) => source(id));
  const fine = { appendOnlyWritten: true, appendOnlyRewritten: true, snapshotSaved: true };
  const stuck = source('m0', { persistence: { ...fine, appendOnlyWritten: false } });
  const [finding] = check(snapshotOf([stuck, ...rest]));
  assert.deepEqual([finding?.rule, finding?.severity], ['persistence', 'error']);
  assert.match(finding?.message ?? '', /refuses writes/);
  const failed = source('m0', { persistence: { ...fine, appendOnlyRewritten: false } });
  assert.deepEqual(
    check(snapshotOf([failed, ...rest])).map(({ rule, severity }) => [rule, severity]),
    [['persistence', 'warning']],
  );
});
