import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planForget } from '../../../src/operations/forget.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import { ids, line, snapshotOf, source, view } from '../sample.ts';

/** The whole cluster, which lists one more node. */
function with9(changes: Partial<KnownNode>): ClusterSnapshot {
  const ghost = line('r9', {
    host: '10.0.1.9',
    masterId: '-',
    flags: ['slave', 'fail'],
    linkState: 'disconnected',
    ...changes,
  });
  return snapshotOf(ids.map((id) => source(id, { others: [...view(id).others, ghost] })));
}

describe('forgetting', () => {
  test('ghosts are forgotten by all, without being named', () => {
    const plan = planForget(with9({}), {});
    assert.deepEqual(
      plan.steps.map((step) => [step.kind, 'node' in step ? step.node : '']),
      [['forget', 'r9']],
    );
    assert.throws(() => planForget(snapshotOf(ids.map((id) => source(id))), {}), /nothing to forget/);
  });

  test('a node with slots, with replicas, or that others are in touch with is not forgotten', () => {
    const followed = with9({ flags: ['master', 'fail'] });
    const nodes = followed.nodes.map((node) => (node.id === 'r0' ? { ...node, masterId: 'r9' } : node));
    assert.throws(() => planForget({ ...followed, nodes }, { node: 'r9' }), /cart-3 replicate 10.0.1.9:6379/);
    const connected = with9({ flags: ['slave'], linkState: 'connected' });
    assert.throws(() => planForget(connected, { node: 'r9' }), /would rejoin at once/);
    assert.throws(() => planForget(with9({}), { node: 'm0' }), /owns slots 0-5460/);
    assert.throws(() => planForget(with9({}), { node: 'x1' }), /knows a node x1/);
  });

  test('a running replica in a pod would join again; outside Kubernetes it leaves and is forgotten', () => {
    const snapshot = snapshotOf(ids.map((id) => source(id)));
    assert.throws(() => planForget(snapshot, { node: 'r0' }), /would join again/);
    const outside = {
      ...snapshot,
      ref: { addresses: ['10.0.0.0:6379'] },
      nodes: snapshot.nodes.map((node) => ({ ...node, pod: undefined }) as unknown as typeof node),
    };
    const plan = planForget(outside, { node: 'r0' });
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      ['resetNode', 'forget'],
    );
  });
});
