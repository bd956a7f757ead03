import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonName, groupPods, type PodSource } from '../../../src/inventory/grouping.ts';
import { ids, line, pod, source, view } from '../sample.ts';

function inWorkload(name: string, sources: readonly ReturnType<typeof source>[]): readonly PodSource[] {
  const workload = {
    kind: 'StatefulSet' as const,
    name,
    replicas: sources.length,
    readyReplicas: sources.length,
    bundled: false,
  };
  return sources.map((one) => ({ ...one, workload }));
}

test('one cluster is the set of nodes that know each other, whatever owns their pods', () => {
  const leaders = inWorkload(
    'shop-leader',
    ids.slice(0, 3).map((id) => source(id)),
  );
  const followers = inWorkload(
    'shop-follower',
    ids.slice(3).map((id) => source(id)),
  );
  const groups = groupPods([...leaders, ...followers]);
  assert.deepEqual(
    groups.map((group) => [group.name, group.sources.length]),
    [['shop', 6]],
  );
});

test('two clusters that do not know each other stay apart, even with like names', () => {
  const strangers = ['a0', 'a1'].map((id) => {
    const others = ['a0', 'a1'].filter((other) => other !== id).map((other) => line('m0', { id: other }));
    return {
      ...source('m0', { self: line('m0', { id }), others }),
      pod: pod(`other-${id}`, `10.9.0.${id.slice(1)}`),
    };
  });
  const groups = groupPods([
    ...inWorkload(
      'cart',
      ids.map((id) => source(id)),
    ),
    ...inWorkload('other', strangers),
  ]);
  assert.deepEqual(
    groups.map((group) => [group.name, group.sources.length]),
    [
      ['cart', 6],
      ['other', 2],
    ],
  );
});

test('a pod that does not answer goes with its workload', () => {
  const quiet = {
    pod: pod('cart-6', '10.0.9.9'),
    reading: { tried: true, failure: { reason: 'pod' as const, message: 'no' } },
  };
  const groups = groupPods(inWorkload('cart', [...ids.map((id) => source(id)), quiet]));
  assert.deepEqual(
    groups.map((group) => group.sources.length),
    [7],
  );
});

test('a cluster that is not formed yet is one group', () => {
  const lonely = [0, 1, 2].map((index) => ({
    pod: pod(`cart-${index}`, `10.0.5.${index}`),
    reading: {
      tried: true,
      view: view('m0', { self: line('m0', { id: `x${index}`, slots: [] }), others: [] }),
    },
  }));
  assert.equal(groupPods(inWorkload('cart', lonely)).length, 1);
});

test('several workloads are called by what their names have in common', () => {
  assert.equal(commonName(['cart']), 'cart');
  assert.equal(commonName(['shop-leader', 'shop-follower']), 'shop');
  assert.equal(commonName(['a', 'b']), 'a');
});
