import type { KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { podsOf, waitForPods } from '../../src/operations/statefulSets/waitForPods.ts';
import { slotCount } from '../../src/model/slots.ts';
import type { ClusterPorts } from './clusterPorts.ts';

/** A cluster made of plain pods, as people make it by hand: nothing in it forms, joins or heals by itself. */
export interface PlainCluster {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  readonly storage: string;
  readonly replicas: number;
  readonly podManagementPolicy: 'Parallel' | 'OrderedReady';
  /** When a pod that answers counts as ready; every two seconds it is asked if absent. */
  readonly readiness?: { readonly initialDelaySeconds?: number; readonly periodSeconds?: number };
}

/** What tutorials apply before they call redis-cli: a headless Service and a StatefulSet with volumes, nothing else. */
export function plainManifests(cluster: PlainCluster): readonly KubernetesObject[] {
  const { namespace, name, image, storage, replicas, podManagementPolicy } = cluster;
  const readiness = cluster.readiness ?? { periodSeconds: 2 };
  const labels = { app: name };
  const metadata = { name, namespace, labels };
  const container = {
    name: 'redis',
    image,
    command: [
      'redis-server',
      '--cluster-enabled',
      'yes',
      '--appendonly',
      'yes',
      '--protected-mode',
      'no',
      '--dir',
      '/data',
    ],
    ports: [{ containerPort: 6379 }, { containerPort: 16_379 }],
    readinessProbe: { exec: { command: ['redis-cli', 'ping'] }, ...readiness },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'redis', port: 6379 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        serviceName: name,
        replicas,
        podManagementPolicy,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            securityContext: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
            containers: [container],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
          },
        ],
      },
    },
  ];
}

/** Forms the cluster with one replica for each master by redis-cli in its first pod. */
export async function createByRedisCli(ports: ClusterPorts, namespace: string, name: string): Promise<void> {
  const addresses = (await podsOf(ports.access, { namespace, statefulSet: name }, ports.signal)).map(
    (pod) => `${pod.ip ?? ''}:6379`,
  );
  let output = '';
  const session = await ports.access.exec(
    namespace,
    `${name}-0`,
    'redis',
    ['redis-cli', '--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'],
    (text) => {
      output += text;
    },
  );
  const { exitCode } = await session.done;
  if (exitCode !== 0) throw new Error(`redis-cli --cluster create failed: ${output}`);
}

/** Waits until every node says that all slots are covered, and half of them are replicas in touch with their masters. */
export async function waitUntilWhole(
  ports: ClusterPorts,
  namespace: string,
  name: string,
  pods: number,
): Promise<void> {
  const awaited = { namespace, statefulSet: name, uid: undefined, pods };
  await waitForPods(ports, awaited, async (found) => {
    const views = await Promise.all(found.map((pod) => ports.readNode(pod.namespace, pod.name, pod.port)));
    const whole = views.filter(
      (view) =>
        view.clusterState === 'ok' &&
        view.slotsAssigned === slotCount &&
        view.others.length === pods - 1 &&
        (view.replication.role === 'master' || view.replication.linkUp === true),
    );
    const replicas = views.filter((view) => view.replication.role === 'replica').length;
    const done = whole.length === pods && replicas === pods / 2;
    return { done, progress: { text: `whole ${whole.length}/${pods}` } };
  });
}
