import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterIn, findCluster } from '../../../src/inventory/scopeState.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { snapshotOf } from '../sample.ts';

const place = { context: 'dev', namespace: 'team' };

function cluster(name: string, workloads: readonly string[]): ClusterSnapshot {
  return {
    ...snapshotOf([]),
    ...{ name, ref: { ...place, name } },
    workloads: workloads.map((workload) => {
      return { kind: 'StatefulSet' as const, name: workload, replicas: 1, readyReplicas: 1, bundled: false };
    }),
  };
}

test('references by a name from before lead to the cluster, unless they could mean another one', () => {
  const clusters = [
    cluster('shop', ['redis-shop-leader', 'redis-shop-follower']),
    cluster('redis-shop-leader-2', ['x-0', 'x-1']),
    cluster('y', ['x']),
  ];
  const found = (name: string, namespace = 'team'): string | undefined =>
    findCluster(clusters, { ...place, namespace, name })?.name;
  assert.equal(found('shop'), 'shop');
  assert.equal(found('redis-shop-leader'), 'shop');
  assert.equal(found('redis-shop'), 'shop');
  assert.equal(found('x-1'), 'redis-shop-leader-2');
  assert.equal(found('x'), undefined, 'a workload of one, what another’s have in common');
  assert.equal(found('redis'), undefined);
  assert.equal(found('shop', 'other'), undefined);
  const state = { context: 'dev', namespace: undefined, read: true, clusters };
  assert.equal(clusterIn(state, 'team', 'x-0').name, 'redis-shop-leader-2');
  assert.throws(() => clusterIn(state, 'team', 'z'), /There is no Redis Cluster z .*Found there: shop, /);
});
