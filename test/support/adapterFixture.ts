import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { KubeConfig } from '@kubernetes/client-node';

import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess, KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../src/model/errors.ts';
import type { PodFacts } from '../../src/model/snapshot.ts';
import { startKubernetes } from './startKubernetes.ts';

/** A namespace of a real Kubernetes in which a pod `server` runs one Redis server. */
export interface AdapterFixture {
  readonly kubeconfig: string;
  readonly context: string;
  readonly namespace: string;
  readonly access: KubernetesAccess;
  /** The same cluster with another sign-in, or at another address; closed with the fixture. */
  accessAs(user: object, server?: string): KubernetesAccess;
  redisPod(name: string): KubernetesObject;
  readyPod(name: string): Promise<PodFacts>;
  /** Expects a UserError that names the context. */
  rejected(run: Promise<unknown>, reason: string, message: RegExp): Promise<void>;
  stop(): Promise<void>;
}

export const adapterImage = 'redis:7.0.15';

export async function startAdapterFixture(): Promise<AdapterFixture> {
  const kubernetes = await startKubernetes();
  const namespace = await kubernetes.createNamespace('adapter');
  const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
  const opened: KubernetesAccess[] = [];
  const open = (file: string): KubernetesAccess => {
    const found = loadKubeconfigs([file]).contexts.find((one) => one.name === kubernetes.context);
    assert.ok(found);
    const access = openContext(found);
    opened.push(access);
    return access;
  };
  const access = open(kubernetes.kubeconfig);
  const readyPod = (name: string): Promise<PodFacts> =>
    until(async () => {
      const pods = (await access.discover(namespace)).flatMap((candidate) => candidate.pods);
      return pods.find((pod) => pod.name === name && pod.ready);
    });
  await access.apply(redisPod(namespace, 'server'));
  await readyPod('server');
  return {
    kubeconfig: kubernetes.kubeconfig,
    context: kubernetes.context,
    namespace,
    access,
    readyPod,
    redisPod: (name) => redisPod(namespace, name),
    accessAs: (user, server) => {
      const file = join(folder, String(opened.length));
      writeFileSync(file, kubeconfigAs(kubernetes.kubeconfig, kubernetes.context, user, server));
      return open(file);
    },
    rejected: (run, reason, message) =>
      assert.rejects(run, (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.reason, reason, error.message);
        assert.match(error.message, message);
        assert.ok(error.message.includes(kubernetes.context), error.message);
        return true;
      }),
    stop: async () => {
      for (const one of opened) one.close();
      await kubernetes.deleteNamespace(namespace);
      await kubernetes.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A kubeconfig whose one context signs in as this user. */
export function kubeconfigAs(file: string, context: string, user: object, server?: string): string {
  const config = new KubeConfig();
  config.loadFromFile(file);
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  assert.ok(cluster);
  const trust = {
    'certificate-authority-data': cluster.caData,
    'certificate-authority': cluster.caFile,
    'insecure-skip-tls-verify': cluster.skipTLSVerify,
  };
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: server ?? cluster.server, ...trust } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  });
}

function redisPod(namespace: string, name: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'redis' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'redis',
          image: adapterImage,
          command: ['redis-server', '--protected-mode', 'no', '--save', ''],
          ports: [{ containerPort: 6379 }],
          readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

/** Looks ten times a second until there is something; fails after `limit` milliseconds. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  limit = 120_000,
): Promise<T> {
  for (const end = performance.now() + limit; ;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(performance.now() < end, `nothing within ${limit} ms`);
    await sleep(100);
  }
}
