import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ApiException, CoreV1Api, KubeConfig, loadYaml } from '@kubernetes/client-node';
import type { V1Namespace } from '@kubernetes/client-node';
import { findKubectl } from './kubernetes/kubectl.ts';
import type { TestImages } from './kubernetes/images.ts';
import { kubeconfigFile } from './kubernetes/layout.ts';
import { takeLease } from './kubernetes/lease.ts';
import { registryImages } from './kubernetes/supervisor.ts';

/** A real Kubernetes with at least three workers and a default StorageClass, for tests and `npm start`. */
export interface TestKubernetes {
  /** Path of a kubeconfig of its own; the user's is neither read nor written. */
  readonly kubeconfig: string;
  readonly context: string;
  /** Named by TEST_KUBECONFIG, made by kind, or built from source and run as plain processes. */
  readonly kind: 'given' | 'kind' | 'built';
  /** Whether this machine can dial the pods' addresses. */
  readonly podsReachable: boolean;
  /** Images that pods can use without a registry if the cluster is a built one. */
  readonly images: TestImages;
  /** The program to call for kubectl: a path, or the name of one on the PATH that is new enough. */
  findKubectl(): Promise<string>;
  /** Makes a namespace of a unique name, in which pods can be created at once. */
  createNamespace(prefix: string): Promise<string>;
  /** Deletes a namespace and waits until it is gone. */
  deleteNamespace(name: string): Promise<void>;
  /** Gives the cluster back; it is removed when nobody else uses it. Deletes the namespaces made here. */
  stop(): Promise<void>;
}

interface Reached {
  readonly kubeconfig: string;
  readonly context: string;
  readonly kind: TestKubernetes['kind'];
  readonly images: TestImages;
  readonly release: () => void;
}

const madeBy = { key: 'app.kubernetes.io/managed-by', value: 'kubernetes-redis-cluster-tests' } as const;
const processLabel = 'kubernetes-redis-cluster/process';
const hostLabel = 'kubernetes-redis-cluster/host';
const thisHost = hostname()
  .replaceAll(/[^\w.-]|^[^a-z\d]+|[^a-z\d]+$/gi, '')
  .slice(0, 60);

/**
 * Gives a real Kubernetes: the one of TEST_KUBECONFIG, else kind's if Docker runs, else one built from source, which
 * takes minutes the first time and seconds afterwards. Runs at the same time share one cluster, each in namespaces of
 * its own. Throws one line saying what is missing when there is none to be had.
 *
 * A user with fewer rights is a ServiceAccount with a token of the TokenRequest API: RBAC is on.
 */
export async function startKubernetes(
  options: { readonly log?: (line: string) => void } = {},
): Promise<TestKubernetes> {
  const log = options.log ?? ((): void => undefined);
  const { release, ...reached } = await reach(log);
  const config = new KubeConfig();
  config.loadFromFile(reached.kubeconfig);
  config.setCurrentContext(reached.context);
  const core = config.makeApiClient(CoreV1Api);
  await deleteAbandoned(core);
  const made = new Set<string>();
  let kubectl: Promise<string> | undefined;
  return {
    ...reached,
    podsReachable: reached.kind === 'built',
    findKubectl: () => (kubectl ??= findKubectl(reached.kind, log)),
    createNamespace: async (prefix) => {
      const name = await createNamespace(core, prefix);
      made.add(name);
      return name;
    },
    deleteNamespace: async (name) => {
      await deleteNamespace(core, name);
      await untilGone(core, name);
      made.delete(name);
    },
    stop: async () => {
      for (const name of made) await deleteNamespace(core, name);
      made.clear();
      release();
    },
  };
}

async function reach(log: (line: string) => void): Promise<Reached> {
  const given = process.env['TEST_KUBECONFIG'] ?? '';
  // The built cluster's own kubeconfig says to share that one, which is what happens without it.
  if (given === '' || given === kubeconfigFile) {
    const { cluster, release } = await takeLease(log);
    return { ...cluster, release };
  }
  const config = new KubeConfig();
  config.loadFromFile(given);
  return {
    kubeconfig: given,
    context: config.getCurrentContext(),
    kind: 'given',
    images: registryImages,
    release: () => undefined,
  };
}

async function createNamespace(core: CoreV1Api, prefix: string): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const labels = { [madeBy.key]: madeBy.value, [processLabel]: String(process.pid), [hostLabel]: thisHost };
  await core.createNamespace({ body: loadYaml<V1Namespace>(JSON.stringify({ metadata: { name, labels } })) });
  // A pod is refused until the controllers have made the namespace's default service account.
  const end = Date.now() + 30_000;
  while (!(await exists(core.readNamespacedServiceAccount({ name: 'default', namespace: name })))) {
    if (Date.now() > end) throw new Error(`Namespace ${name} has no default service account after 30 s.`);
    await delay(50);
  }
  return name;
}

async function deleteNamespace(core: CoreV1Api, name: string): Promise<void> {
  await exists(core.deleteNamespace({ name }));
  // Nothing its pods could save is needed, so they do not get their 30 s to end.
  await exists(core.deleteCollectionNamespacedPod({ namespace: name, gracePeriodSeconds: 0 }));
}

async function untilGone(core: CoreV1Api, name: string): Promise<void> {
  const end = Date.now() + 120_000;
  while (await exists(core.readNamespace({ name }))) {
    if (Date.now() > end) throw new Error(`Namespace ${name} is still there after 120 s.`);
    await delay(200);
  }
}

async function exists(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return false;
    throw error;
  }
}

/** A run that was killed could not delete its namespaces; the next one does. */
async function deleteAbandoned(core: CoreV1Api): Promise<void> {
  const labelSelector = `${madeBy.key}=${madeBy.value},${hostLabel}=${thisHost}`;
  const { items } = await core.listNamespace({ labelSelector });
  for (const { metadata } of items) {
    const pid = Number(metadata?.labels?.[processLabel]);
    if (metadata?.name !== undefined && !isAlive(pid)) await deleteNamespace(core, metadata.name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
