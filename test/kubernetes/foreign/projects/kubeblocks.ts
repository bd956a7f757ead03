import type { KubernetesObject } from '../../../../src/kubernetes/kubernetesAccess.ts';
import {
  fromField,
  fromSecret,
  literal,
  podSpec,
  scriptOf,
  secret,
  startWith,
  type Maker,
  type OwnerReference,
  type Shape,
} from '../shape.ts';

const shards = ['98x', 'cq7', 'hy7'];
const password = 'O3605v7HsS';

/**
 * KubeBlocks: an InstanceSet for each shard makes pods by itself, and is owned by a Component of the Cluster. Servers
 * announce a NodePort of their own, or ports that were allotted to them in the network of their Kubernetes node.
 */
export function kubeblocks(name: string, reach: 'NodePort' | 'host network', firstPort: number): Shape {
  const cli = 'export REDISCLI_AUTH="$REDIS_DEFAULT_PASSWORD"; redis-cli -p "$SERVICE_PORT"';
  const operator = `Cluster "${name}"`;
  return {
    ...{ image: 'redis7', name },
    workloads: shards.map((shard) => `${name}-shard-${shard}`),
    ...{ cli, keepsFiles: false, shardPerWorkload: true },
    client: { password },
    foundIn: `user default, password from Secret ${name}-shard-98x-account-default/password`,
    ...{ owner: operator, operator },
    make: async (maker) => {
      const cluster = await maker.custom('apps.kubeblocks.io/v1', 'Cluster', name);
      for (const [index, shard] of shards.entries()) {
        const own = `${name}-shard-${shard}`;
        const component = await maker.custom('apps.kubeblocks.io/v1', 'Component', own, cluster);
        const owner = await maker.custom('workloads.kubeblocks.io/v1', 'InstanceSet', own, component);
        await maker.create(secret(`${own}-account-default`, { username: 'default', password }));
        await maker.create(scriptOf({ name: own, run }));
        for (const pod of [0, 1]) {
          const port = firstPort + 2 * (2 * index + pod);
          if (reach === 'NodePort') await maker.create(serviceOf(name, shard, pod, port));
          await maker.create(podOf(maker, { name, shard, pod, owner, reach, port }));
        }
      }
    },
  };
}

const run = startWith('redis-server', '/data', [
  ...['port $SERVICE_PORT', 'cluster-port $CLUSTER_BUS_PORT', 'requirepass $REDIS_DEFAULT_PASSWORD'],
  ...['masterauth $REDIS_DEFAULT_PASSWORD', '$ANNOUNCED_PORT', '$ANNOUNCED_BUS_PORT', '$ANNOUNCED_IP'],
]);

interface Pod {
  readonly name: string;
  readonly shard: string;
  readonly pod: number;
  readonly owner: OwnerReference;
  readonly reach: 'NodePort' | 'host network';
  readonly port: number;
}

function labelsOf(name: string, shard: string): Readonly<Record<string, string>> {
  return {
    ...{ 'app.kubernetes.io/instance': name, 'app.kubernetes.io/managed-by': 'kubeblocks' },
    ...{ 'app.kubernetes.io/name': 'redis-cluster-7', 'apps.kubeblocks.io/component-name': `shard-${shard}` },
    ...{ 'apps.kubeblocks.io/sharding-name': 'shard', 'apps.kubeblocks.io/shard-name': shard },
    ...{
      'workloads.kubeblocks.io/instance': `${name}-shard-${shard}`,
      'workloads.kubeblocks.io/managed-by': 'InstanceSet',
    },
  };
}

function serviceOf(name: string, shard: string, pod: number, port: number): KubernetesObject {
  const own = `${name}-shard-${shard}`;
  return {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: `${own}-redis-advertised-${pod}` } },
    spec: {
      type: 'NodePort',
      publishNotReadyAddresses: true,
      selector: { 'apps.kubeblocks.io/pod-name': `${own}-${pod}` },
      ports: [
        { name: 'redis-advertised', port: 6379, nodePort: port },
        { name: 'advertised-bus', port: 16_379, nodePort: port + 1 },
      ],
    },
  };
}

function podOf(maker: Maker, { name, shard, pod, owner, reach, port }: Pod): KubernetesObject {
  const own = `${name}-shard-${shard}`;
  const isHost = reach === 'host network';
  const [client, bus] = isHost ? [port, port + 1] : [6379, 16_379];
  const announced = [
    literal('ANNOUNCED_PORT', `cluster-announce-port ${port}`),
    literal('ANNOUNCED_BUS_PORT', `cluster-announce-bus-port ${port + 1}`),
    literal('ANNOUNCED_IP', 'cluster-announce-ip $(CURRENT_POD_HOST_IP)'),
  ];
  const env = [
    fromField('CURRENT_POD_NAME', 'metadata.name'),
    fromField('CURRENT_POD_IP', 'status.podIP'),
    fromField('CURRENT_POD_HOST_IP', 'status.hostIP'),
    ...[literal('CLUSTER_NAME', name), literal('REDIS_DEFAULT_USER', 'default')],
    fromSecret('REDIS_DEFAULT_PASSWORD', `${own}-account-default`, 'password'),
    literal('REDIS_REPL_USER', 'kbreplicator'),
    fromSecret('REDIS_REPL_PASSWORD', `${own}-account-default`, 'password'),
    ...[literal('SERVICE_PORT', String(client)), literal('CLUSTER_BUS_PORT', String(bus)), ...announced],
  ];
  const spec = podSpec({
    ...{
      name: own,
      labels: {},
      replicas: 1,
      container: 'redis-cluster',
      image: maker.image('redis7'),
      run,
      env,
    },
    ports: [
      { name: 'redis-cluster', containerPort: client, ...(isHost ? { hostPort: client } : {}) },
      { name: 'cluster-bus', containerPort: bus, ...(isHost ? { hostPort: bus } : {}) },
    ],
    mounts: [{ name: 'data', mountPath: '/data' }],
    volumes: [{ name: 'data', emptyDir: {} }],
    beside: [
      {
        ...{ name: 'metrics', image: maker.image('exporter') },
        args: [
          '--web.listen-address',
          `:${isHost ? port + 2000 : 9121}`,
          '--redis.addr',
          `redis://127.0.0.1:${client}`,
        ],
        env: [fromSecret('REDIS_PASSWORD', `${own}-account-default`, 'password')],
        ports: [{ name: 'http-metrics', containerPort: isHost ? port + 2000 : 9121 }],
      },
    ],
    init: [{ name: 'init-dbctl', image: maker.image('busybox'), command: ['true'] }],
    ping: 'REDISCLI_AUTH="$REDIS_DEFAULT_PASSWORD" redis-cli -p "$SERVICE_PORT"',
    podFields: isHost ? { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } : {},
  });
  const labels = { ...labelsOf(name, shard), 'apps.kubeblocks.io/pod-name': `${own}-${pod}` };
  const metadata = { name: `${own}-${pod}`, labels, ownerReferences: [owner] };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec };
}
