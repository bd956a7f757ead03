import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CoreV1Api, KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import type { ChaosTls } from '../chaosClient.ts';
import type { TestKubernetes } from '../startKubernetes.ts';
import { kubectlIn, type Kubectl } from './kubectl.ts';

export interface DeployOptions {
  readonly masters?: number;
  readonly replicas?: number;
  /** More than masters × (1 + replicas) where spare replicas are wanted. */
  readonly pods?: number;
  /** Both containers' image; otherwise the manifests' own. */
  readonly image?: string;
  /** A folder of the repository that `kubectl apply -k` takes. */
  readonly from?: string;
  /** Further patches of the StatefulSet, as objects of strategic merge. */
  readonly patches?: readonly object[];
  /** `false`: no Secret is made. */
  readonly password?: string | false;
  /** What this machine presents and trusts where the servers speak TLS only. */
  readonly tls?: ChaosTls;
  /** Made before the manifests are applied, e.g. Secrets: what `kubectl apply -f -` takes. */
  readonly before?: string;
}

/** A cluster of the bundled manifests in a namespace of its own. */
export interface Deployment {
  readonly kubernetes: TestKubernetes;
  readonly namespace: string;
  /** The image of the servers as the StatefulSet names it. */
  readonly image: string;
  readonly kubernetesVersion: string;
  readonly password: string | undefined;
  readonly tls: ChaosTls | undefined;
  /** When `kubectl apply` was called, as performance.now() says it. */
  readonly appliedAt: number;
  readonly kubectl: Kubectl;
  readonly pods: () => Promise<readonly Pod[]>;
  /** redis-cli in a pod, by its ordinal or name, with the password that the container has. */
  readonly redisCli: (pod: number | string, args: readonly string[], stdin?: string) => Promise<string>;
  /** Deletes the namespace and all in it. */
  readonly remove: () => Promise<void>;
}

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly worker: string;
  readonly ready: boolean;
  readonly leaving: boolean;
  /** How often Kubernetes has started the server again in this pod. */
  readonly restarts: number;
}

export const selector = 'app.kubernetes.io/name=redis-cluster,app.kubernetes.io/instance=redis-cluster';
const root = join(import.meta.dirname, '../../..');

/** Applies the manifests as a user does, changed by a kustomization that is thrown away. Does not wait for anything. */
export async function deployManifests(
  kubernetes: TestKubernetes,
  options: DeployOptions = {},
): Promise<Deployment> {
  const namespace = await kubernetes.createNamespace('scenario');
  const kubectl = kubectlIn(kubernetes, namespace);
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
  const password = options.password ?? randomBytes(18).toString('base64url');
  if (password !== false) {
    const secret = ['create', 'secret', 'generic', 'redis-cluster-auth', '--from-file=password=/dev/stdin'];
    await kubectl(secret, password);
  }
  if (options.before !== undefined) await kubectl(['apply', '-f', '-'], options.before);
  const { appliedAt, image } = await apply(kubectl, options);
  const version = JSON.parse(await kubectl(['get', '--raw', '/version'])) as { readonly gitVersion: string };
  return {
    kubernetes,
    namespace,
    image,
    kubernetesVersion: version.gitVersion,
    password: password === false ? undefined : password,
    tls: options.tls,
    appliedAt,
    kubectl,
    pods: podsReader(kubernetes, namespace),
    redisCli: async (pod, args, stdin) => {
      const name = typeof pod === 'number' ? `redis-cluster-${pod}` : pod;
      const exec = ['exec', '-i', name, '-c', 'redis', '--', 'redis-cli'];
      const tls =
        options.tls === undefined ? [] : ['--tls', '--cacert', '/etc/redis-cluster-tls/ca.crt', '--insecure'];
      return (await kubectl([...exec, ...tls, ...args], stdin)).replaceAll('\r', '');
    },
    remove: () => kubernetes.deleteNamespace(namespace),
  };
}

async function apply(
  kubectl: Kubectl,
  options: DeployOptions,
): Promise<{ readonly appliedAt: number; readonly image: string }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'scenario-')));
  try {
    await writeFile(join(folder, 'kustomization.yaml'), kustomization(folder, options));
    const appliedAt = performance.now();
    await kubectl(['apply', '-k', folder]);
    const path = 'jsonpath={.spec.template.spec.containers[?(@.name=="redis")].image}';
    return { appliedAt, image: await kubectl(['get', 'statefulset', 'redis-cluster', '-o', path]) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function kustomization(folder: string, options: DeployOptions): string {
  const { masters = 3, replicas = 1, image } = options;
  const env = [
    { name: 'MASTERS', value: String(masters) },
    { name: 'REPLICAS', value: String(replicas) },
  ];
  const own = image === undefined ? {} : { image };
  const containers = [
    { name: 'redis', ...own },
    { name: 'agent', ...own, env },
  ];
  const shape = { replicas: options.pods ?? masters * (1 + replicas), template: { spec: { containers } } };
  const target = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'redis-cluster' } };
  return stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    // Kustomize takes no absolute paths.
    resources: [relative(folder, join(root, options.from ?? 'manifests'))],
    patches: [{ spec: shape }, ...(options.patches ?? [])].map((patch) => ({
      patch: stringify({ ...target, ...patch }),
    })),
  });
}

function podsReader(kubernetes: TestKubernetes, namespace: string): () => Promise<readonly Pod[]> {
  const config = new KubeConfig();
  config.loadFromFile(kubernetes.kubeconfig);
  config.setCurrentContext(kubernetes.context);
  const core = config.makeApiClient(CoreV1Api);
  return async () => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: selector });
    return items.map(podOf);
  };
}

function podOf({ metadata, status, spec }: V1Pod): Pod {
  return {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    worker: spec?.nodeName ?? '',
    leaving: metadata?.deletionTimestamp !== undefined,
    ...stateOf(status),
  };
}

function stateOf(status: V1Pod['status']): Pick<Pod, 'ip' | 'ready' | 'restarts'> {
  const server = status?.containerStatuses?.find((one) => one.name === 'redis');
  const ready = status?.conditions?.find((one) => one.type === 'Ready');
  return {
    ip: status?.podIP ?? '',
    ready: ready?.status === 'True',
    restarts: server?.restartCount ?? 0,
  };
}
