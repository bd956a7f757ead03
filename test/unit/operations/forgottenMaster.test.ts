import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import { planPromote } from '../../../src/operations/promote.ts';
import { ids, line, pod, silent, snapshotOf, source } from '../sample.ts';

/** m0 is known to its replica alone, as after CLUSTER FORGET on all others. @param first m0 as it was read */
function forgotten(first: ReturnType<typeof source>): ReturnType<typeof snapshotOf> {
  const others = ids
    .filter((id) => id !== 'm0' && id !== 'r0')
    .map((id) => {
      const known = ids
        .filter((other) => other !== id && other !== 'm0')
        .map((other) => withoutMaster(other));
      return source(id, { others: known, clusterState: 'fail' });
    });
  const lost = line('m0', { flags: ['master', 'fail?'], linkState: 'disconnected' });
  const seen = ids.slice(1).flatMap((id) => (id === 'r0' ? [] : line(id)));
  const isDead = first.reading.view === undefined;
  return snapshotOf([first, ...others, source('r0', { others: [isDead ? lost : line('m0'), ...seen] })]);
}

function withoutMaster(id: string): KnownNode {
  const { masterId, ...rest } = line(id);
  return masterId === undefined || id === 'r0' ? rest : { ...rest, masterId };
}

test('a dead master that all others have forgotten is followed by its replica without an election', () => {
  const facts = { pod: pod('cart-0', '10.0.0.0', { ready: false }) };
  const snapshot = forgotten({ ...silent('m0'), ...facts });
  for (const how of ['handOver', 'force'] as const) {
    assert.throws(
      () => planPromote(snapshot, { node: 'r0', how }),
      /Most masters have forgotten .*Promote with how "takeover" if it is dead\./,
    );
  }
  assert.throws(() => planPromote(snapshot, { node: 'r0', how: 'takeover' }), /Nothing proves that cart-0/);
  const { steps } = planPromote(snapshot, { node: 'r0', how: 'takeover', dead: ['m0'] });
  assert.deepEqual(
    steps.map((step) => (step.kind === 'promote' ? [step.node, step.how] : step.kind)),
    [['r0', 'takeover']],
  );
});

test('of a master outside Kubernetes the check names the replica that has its data', () => {
  const snapshot = { ...forgotten({ reading: silent('m0').reading }), ref: { addresses: ['10.0.0.1:6379'] } };
  const remedy = check(snapshot).find(({ rule }) => rule === 'reachable')?.remedy;
  assert.match(remedy ?? '', /“Promote Replica…” makes cart-3 the master of its slots/);
});

test('a master that runs and that all others have forgotten is introduced first', () => {
  assert.throws(
    () => planPromote(forgotten(source('m0')), { node: 'r0' }),
    /Most masters have forgotten cart-0, .*“Heal Cluster…” introduces it again/,
  );
});
