import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, Exec, KubeConfig, KubernetesObjectApi, loadAllYaml } from '@kubernetes/client-node';
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { startKubernetes } from '../support/startKubernetes.ts';
import type { TestKubernetes } from '../support/startKubernetes.ts';

suite('The Kubernetes of the tests', () => {
  const config = new KubeConfig();
  let kubernetes: TestKubernetes;
  let core: CoreV1Api;
  let namespace: string;

  before(async () => {
    kubernetes = await startKubernetes({ log: console.log });
    config.loadFromFile(kubernetes.kubeconfig);
    config.setCurrentContext(kubernetes.context);
    core = config.makeApiClient(CoreV1Api);
    namespace = await kubernetes.createNamespace('start');
    await create(config, namespace, server(kubernetes.images.redis7));
    await waitForPod(core, namespace, 'redis-0', isReady);
  });

  after(async () => {
    await kubernetes.deleteNamespace(namespace);
    await kubernetes.stop();
  });

  test('has three workers that are ready', async () => {
    const { items } = await core.listNode();
    const ready = items.filter(
      ({ spec, status }) =>
        !spec?.taints?.some(({ effect }) => effect === 'NoSchedule') &&
        status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    );
    assert.ok(ready.length >= 3, `${ready.length} workers`);
  });

  test('lets a pod that does not run as root write to its volume', async () => {
    await shell('id -u > /data/user && sync');
    assert.equal(await shell('cat /data/user'), '999\n');
  });

  test('resolves a headless service, and reaches Redis by that name', async () => {
    const name = `redis-0.redis.${namespace}.svc.cluster.local`;
    assert.match(await shell(`getent hosts ${name}`), /^[\d.]+\s/);
    assert.equal(await shell(`redis-cli -h ${name} ping`), 'PONG\n');
  });

  test('reaches Redis through a service of one address', async () => {
    // A service leads to a pod a moment after the pod is ready.
    const ping = 'timeout 2 redis-cli -h redis-any ping 2>&1';
    const answer = await shell(`for i in 1 2 3 4 5; do ${ping} && break; sleep 1; done`);
    assert.match(answer, /PONG\n$/);
  });

  test('returns what a container wrote', async () => {
    const log = await core.readNamespacedPodLog({ namespace, name: 'redis-0' });
    assert.match(log, /Ready to accept connections/);
  });

  test('lets this machine dial a pod if it says so', async () => {
    if (!kubernetes.podsReachable) return;
    const { status } = await core.readNamespacedPod({ namespace, name: 'redis-0' });
    const socket = connect(6379, status?.podIP ?? '');
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    assert.equal(answer.toString(), '+PONG\r\n');
  });

  test('runs each of its other images', async () => {
    const { images } = kubernetes;
    await create(config, namespace, others(images));
    await waitForPod(core, namespace, 'others', ({ status }) => status?.phase === 'Succeeded');
    const says = (container: string): Promise<string> =>
      core.readNamespacedPodLog({ namespace, name: 'others', container });
    const version = (image: string): string => image.split(':')[1] ?? image;
    for (const name of servers)
      assert.ok((await says(name.toLowerCase())).includes(`v=${version(images[name])} `), name);
    assert.equal(await says('busybox'), 'busybox\n');
  });

  async function shell(script: string): Promise<string> {
    const output = new PassThrough();
    let text = '';
    output.setEncoding('utf8').on('data', (part: string) => (text += part));
    const command = ['sh', '-c', script];
    const status = await new Promise<string>((resolve, reject) => {
      new Exec(config)
        .exec(namespace, 'redis-0', 'redis', command, output, output, null, false, (result) => {
          resolve(result.status ?? '');
        })
        .catch(reject);
    });
    assert.equal(status, 'Success', text);
    return text;
  }
});

const server = (image: string): string => `
apiVersion: v1
kind: Service
metadata: { name: redis }
spec: { clusterIP: None, selector: { app: redis }, ports: [{ port: 6379 }] }
---
apiVersion: v1
kind: Service
metadata: { name: redis-any }
spec: { selector: { app: redis }, ports: [{ port: 6379 }] }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: v1
kind: Pod
metadata: { name: redis-0, labels: { app: redis } }
spec:
  hostname: redis-0
  subdomain: redis
  securityContext: { runAsUser: 999, runAsNonRoot: true, fsGroup: 999 }
  containers:
    - name: redis
      image: ${image}
      readinessProbe: { exec: { command: [redis-cli, ping] }, periodSeconds: 1 }
      volumeMounts: [{ name: data, mountPath: /data }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`;

const servers = ['redis8', 'redisNewest', 'valkey8', 'valkeyNewest'] as const;

const others = (images: TestKubernetes['images']): string => `
apiVersion: v1
kind: Pod
metadata: { name: others }
spec:
  restartPolicy: Never
  containers:
    - { name: busybox, image: '${images.busybox}', command: [echo, busybox] }
${servers
  .map((name) => {
    const command = '[sh, -c, redis-server --version]';
    return `    - { name: ${name.toLowerCase()}, image: '${images[name]}', command: ${command} }`;
  })
  .join('\n')}
`;

async function create(config: KubeConfig, namespace: string, manifests: string): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  for (const object of loadAllYaml(manifests) as KubernetesObject[]) {
    if (object.metadata) object.metadata.namespace = namespace;
    await objects.create(object);
  }
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

async function waitForPod(
  core: CoreV1Api,
  namespace: string,
  name: string,
  ready: (pod: V1Pod) => boolean,
): Promise<void> {
  const end = Date.now() + 120_000;
  for (;;) {
    const pod = await core.readNamespacedPod({ namespace, name });
    if (ready(pod)) return;
    if (Date.now() > end) throw new Error(`Pod ${name} is not ready: ${JSON.stringify(pod.status)}`);
    await delay(200);
  }
}
