import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { connectApi, until } from './api.ts';
import type { Api } from './api.ts';
import { buildBinaries } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import { makeCredentials } from './certificates.ts';
import { addNetwork, cleanUp } from './cleanUp.ts';
import type { Component } from './component.ts';
import { makeApi, makeControllers } from './controlPlane.ts';
import type { HeldWorker } from './heldWorker.ts';
import { buildImageStore } from './imageStore.ts';
import { buildImages } from './images.ts';
import type { TestImages } from './images.ts';
import { gateway, ports, runFolder, workers } from './layout.ts';
import { withBuildLock } from './lock.ts';
import { installPackages } from './packages.ts';
import type { Log } from './run.ts';
import { makeWorker } from './worker.ts';

/** All that is slow to make and kept in the cache. */
export interface Parts {
  readonly binaries: Binaries;
  readonly images: TestImages;
  readonly archives: readonly string[];
  readonly store: string;
}

/** Makes whatever the cache lacks: about ten minutes on two cores the first time, under a second afterwards. */
export async function buildParts(log: Log): Promise<Parts> {
  return await withBuildLock(log, async () => {
    await installPackages(log);
    const binaries = await buildBinaries(log);
    const archives = await buildImages(log);
    const store = await buildImageStore(archives, log);
    return { binaries, store, images: archives.images, archives: archives.files };
  });
}

/** What can be done with the cluster while it runs. */
export interface BuiltCluster {
  readonly workers: readonly HeldWorker[];
  readonly stop: () => Promise<void>;
}

/** Starts Kubernetes as plain processes of this machine. */
export async function startBuiltCluster(parts: Parts, log: Log): Promise<BuiltCluster> {
  const start = performance.now();
  const components: Component[] = [];
  const begin = (more: readonly Component[]): void => {
    for (const component of more) component.start();
    components.push(...more);
  };
  const stop = async (): Promise<void> => {
    await Promise.all(components.map((component) => component.stop()));
    await cleanUp();
  };
  try {
    await mkdir(join(runFolder, 'log'), { recursive: true, mode: 0o700 });
    await addNetwork([gateway, ...workers.map(({ address }) => address)]);
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
    const credentials = await makeCredentials();
    begin(makeApi(parts.binaries, credentials));
    const prepared = await Promise.all(
      workers.map((worker) => makeWorker(worker, parts.binaries.kube, parts.store, credentials)),
    );
    const api = await connectApi(credentials);
    await until('The API server', 60, async () => (await api('GET', '/readyz')).status === 200);
    log(`The API server is ready after ${seconds(start)} s.`);
    begin(await makeControllers(parts.binaries, credentials));
    begin(prepared.flatMap(({ components: programs }) => programs));
    await waitForCluster(api);
    log(`${workers.length} workers are ready after ${seconds(start)} s.`);
    return { stop, workers: prepared.map(({ held }) => held) };
  } catch (error) {
    const tails = await Promise.all(components.map(async (each) => `--- ${each.name}\n${await each.tail()}`));
    await stop();
    throw new Error(`The test cluster did not start: ${String(error)}\n${tails.join('\n')}`, {
      cause: error,
    });
  }
}

const seconds = (start: number): string => ((performance.now() - start) / 1000).toFixed(1);

async function waitForCluster(api: Api): Promise<void> {
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: 'standard',
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    provisioner: 'kubernetes-redis-cluster/directory',
    reclaimPolicy: 'Delete',
  };
  await until('The StorageClass', 30, async () => {
    const { status } = await api('POST', '/apis/storage.k8s.io/v1/storageclasses', storageClass);
    return status === 201 || status === 409;
  });
  await until('Cluster DNS', 60, dnsReady);
  await until('The default service account', 60, async () => {
    const { status } = await api('GET', '/api/v1/namespaces/default/serviceaccounts/default');
    return status === 200;
  });
  await until('The workers', 90, async () => {
    const { items } = JSON.parse((await api('GET', '/api/v1/nodes')).body) as {
      items: readonly NodeStatus[];
    };
    return items.filter(isReady).length === workers.length;
  });
}

interface NodeStatus {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Some time after a worker is ready the controller takes the taint away that keeps pods off it. */
function isReady({ spec, status }: NodeStatus): boolean {
  if ((spec.taints ?? []).length > 0) return false;
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

function dnsReady(): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port: ports.dnsReady, path: '/ready', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => {
      resolve(false);
    });
  });
}
