import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinshipOf } from '../../../src/kubernetes/kinship.ts';
import { podFacts } from '../../../src/kubernetes/podFacts.ts';

const owner = (kind: string, name: string) => ({ kind, name, controller: true });

test('an owner or an operator’s label says which workloads are one cluster, and how it is called', () => {
  const of = (...args: Parameters<typeof kinshipOf>): unknown => {
    const { clusters, name } = kinshipOf(...args);
    return [clusters, name];
  };
  assert.deepEqual(of({}, [owner('RedisCluster', 'shop')]), [['RedisCluster/shop'], 'shop']);
  assert.deepEqual(of({ 'valkey.io/cluster': 'vk' }, [owner('ValkeyNode', 'vk-0-0')]), [
    ['ValkeyNode/vk-0-0', 'valkey.io/cluster=vk'],
    'vk',
  ]);
  assert.deepEqual(of({ 'redis.kun/name': 'rk' }), [['redis.kun/name=rk'], 'rk']);
  const sharded = { 'app.kubernetes.io/instance': 'kb', 'apps.kubeblocks.io/sharding-name': 'shard' };
  assert.deepEqual(of(sharded, [owner('Component', 'kb-shard-a')]), [
    ['Component/kb-shard-a', 'sharding kb/shard'],
    'kb',
  ]);
  assert.deepEqual(of({ 'pod-template-hash': '7d9f' }, [owner('ReplicaSet', 'cache-7d9f')]), [
    ['ReplicaSet/cache-7d9f', 'Deployment/cache'],
    'cache',
  ]);
  assert.deepEqual(of({ app: 'cart', 'app.kubernetes.io/name': 'redis-cluster' }), [[], undefined]);
});

test('a release is one thing only with its part', () => {
  const labels = { 'app.kubernetes.io/instance': 'r', 'app.kubernetes.io/component': 'node' };
  assert.equal(kinshipOf(labels).release, 'r/node');
  assert.deepEqual(kinshipOf({ 'app.kubernetes.io/instance': 'r' }), { clusters: [], instance: 'r' });
});

test('a server runs although its pod is pending', () => {
  const container = { name: 'redis', image: 'redis' };
  const facts = (state: object) =>
    podFacts(
      { status: { phase: 'Pending', containerStatuses: [{ name: 'redis', restartCount: 0, state }] } },
      { container, port: 6379 },
      'cart',
    );
  assert.equal(facts({ running: { startedAt: '2026-01-01T00:00:00Z' } }).running, true);
  assert.equal(facts({ waiting: { reason: 'ContainerCreating' } }).running, undefined);
});
