import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { run, tryRun } from './run.ts';
import type { Log } from './run.ts';

const clusterName = 'kubernetes-redis-cluster-test';
const folder = join(cacheFolder, 'kind');

/** The kubeconfig that kind writes; never the user's own. */
export const kindKubeconfig = join(folder, 'kubeconfig');
export const kindContext = `kind-${clusterName}`;

/** Whether kind is installed and a Docker daemon answers. */
export async function hasKind(): Promise<boolean> {
  if ((await tryRun('kind', ['version'])) === undefined) return false;
  return (await tryRun('docker', ['info', '--format', '{{.ServerVersion}}'])) !== undefined;
}

/** Starts a kind cluster of three workers, which pull their images from the registry; returns how to delete it. */
export async function startKindCluster(log: Log): Promise<() => Promise<void>> {
  const stop = async (): Promise<void> => {
    await run('kind', ['delete', 'cluster', '--name', clusterName, '--kubeconfig', kindKubeconfig]);
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A cluster of an earlier run that was killed has an unknown content.
  await stop();
  const roles = ['control-plane', 'worker', 'worker', 'worker'];
  const config = {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: roles.map((role) => ({ role })),
  };
  const file = join(folder, 'cluster.yaml');
  await writeFile(file, JSON.stringify(config));
  log('Creating a kind cluster …');
  await run('kind', [
    ...['create', 'cluster', '--name', clusterName, '--kubeconfig', kindKubeconfig],
    ...['--config', file, '--wait', '180s'],
  ]);
  return stop;
}
