import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLikelyCluster } from '../../../src/inventory/likelyCluster.ts';
import type { Reading } from '../../../src/inventory/nodeReader.ts';
import type { Container, StatefulSet } from '../../../src/kubernetes/apiObjects.ts';
import { candidates } from '../../../src/kubernetes/discover.ts';
import { pod } from '../sample.ts';

const refused: Reading = { tried: true, failure: { reason: 'password', message: 'NOAUTH' } };
const down: Reading = { tried: true, failure: { reason: 'pod', message: 'Pod is not running.' } };
const standalone: Reading = {
  tried: true,
  notClustered: true,
  failure: { reason: 'not-clustered', message: 'not in cluster mode' },
};
const untried: Reading = { tried: false };

interface Case {
  readonly name?: string;
  readonly container?: Partial<Container>;
  readonly beside?: Container;
  readonly labels?: Readonly<Record<string, string>>;
  readonly owner?: string;
  readonly replicas?: number;
  readonly readings?: readonly Reading[];
}

function isShown({
  name = 'cache',
  container,
  beside,
  labels = {},
  owner,
  replicas = 3,
  readings,
}: Case): boolean {
  const server = { name: 'server', image: 'redis:7', ...container };
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: 'x/v1', kind: owner, name: 'x', controller: true }];
  const set: StatefulSet = {
    metadata: { name, namespace: 'ns', labels, ownerReferences },
    spec: {
      replicas,
      template: { spec: { containers: [server, ...(beside === undefined ? [] : [beside])] } },
    },
  };
  const found = candidates([], [set]);
  const sources = (readings ?? Array.from({ length: replicas }, () => refused)).map((reading, index) => ({
    pod: pod(`${name}-${index}`, '10.0.0.1'),
    reading,
  }));
  return isLikelyCluster({ sources, workloads: found.map(({ workload }) => workload) }, found);
}

const env = (name: string, value: string): Case => ({ container: { env: [{ name, value }] }, replicas: 1 });

test('servers that cannot be read are shown wherever they may be a cluster', () => {
  const cases: readonly (readonly [string, Case, boolean])[] = [
    ['three servers that demand a password', {}, true],
    ['three servers that are down as the window opens', { readings: [down, down, down] }, true],
    ['a StatefulSet without a single pod', { readings: [] }, true],
    ['one server that answers that it is in no cluster', { readings: [refused, standalone, refused] }, false],
    ['a single server that demands a password', { replicas: 1 }, false],
    ['not asked yet', { readings: [refused, untried, refused] }, false],
    ['called a cluster, not asked yet', { name: 'redis-cluster', readings: [untried] }, true],
    ['called a cluster, and is none', { name: 'redis-cluster', readings: [standalone] }, false],
    ['a program that uses Redis', { container: { image: 'acme/redis-worker' } }, false],
    ['beside a Sentinel', { beside: { name: 's', image: 'redis:7', command: ['redis-sentinel'] } }, false],
    ['replication', { ...env('REDIS_REPLICATION_MODE', 'master'), replicas: 3 }, false],
    [
      'the bus port',
      { container: { ports: [{ containerPort: 6379 }, { containerPort: 16379 }] }, replicas: 1 },
      true,
    ],
    [
      'the bus port of another port',
      {
        container: { ports: [{ name: 'redis', containerPort: 7000 }, { containerPort: 17_000 }] },
        replicas: 1,
      },
      true,
    ],
    [
      'a port called bus',
      { container: { ports: [{ name: 'tcp-redis-bus', containerPort: 1 }] }, replicas: 1 },
      true,
    ],
    ['an argument', { container: { args: ['--cluster-enabled', 'yes'] }, replicas: 1 }, true],
    ['cluster mode off', { container: { args: ['--cluster-enabled', 'no'] }, replicas: 1 }, false],
    ['REDIS_NODES', env('REDIS_NODES', 'a b c'), true],
    ['VALKEY_CLUSTER_ENABLED', env('VALKEY_CLUSTER_ENABLED', 'yes'), true],
    ['VALKEY_CLUSTER_ENABLED=no', env('VALKEY_CLUSTER_ENABLED', 'no'), false],
    ['SETUP_MODE', env('SETUP_MODE', 'cluster'), true],
    ['SETUP_MODE=standalone', env('SETUP_MODE', 'standalone'), false],
    ['a label', { labels: { 'app.kubernetes.io/name': 'valkey-cluster' }, replicas: 1 }, true],
    ["an operator's label", { labels: { 'valkey.io/cluster': 'shop' }, replicas: 1 }, true],
    ['the image', { container: { image: 'bitnami/redis-cluster:7' }, replicas: 1 }, true],
    ['the owner', { owner: 'RedisCluster', replicas: 1 }, true],
  ];
  for (const [what, one, expected] of cases) assert.equal(isShown(one), expected, what);
});
