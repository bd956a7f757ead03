import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiException, CoreV1Api, KubeConfig, loadYaml } from '@kubernetes/client-node';
import type { V1PersistentVolume } from '@kubernetes/client-node';
import { runFolder } from '../kubernetes/layout.ts';
import { run, tryRun } from '../kubernetes/run.ts';
import type { TestKubernetes } from '../startKubernetes.ts';

/** A volume that is really small, whatever it says of its size. */
export interface SmallVolume {
  /** Where this machine sees its files. */
  readonly folder: string;
  /** A manifest of the claim for it, by a name such as `data-redis-cluster-0`, to be applied before there are pods. */
  claim(name: string): string;
  /** Takes all the space that is left. */
  fillUp(): Promise<void>;
  /** Gives back what `fillUp` took. */
  makeRoom(): Promise<void>;
  /** Deletes it with what is in it. The pods that use it have to be gone. */
  remove(): Promise<void>;
}

const processLabel = 'kubernetes-redis-cluster/process';
/** What manifests ask for, and more than it has. */
const storage = '1Gi';
const volumes = join(runFolder, 'small-volumes');

/**
 * Makes a volume of memory (tmpfs) that only its own claim is bound to. What a run that was killed left is removed here,
 * and by the end of the built Kubernetes.
 */
export async function makeSmallVolume(kubernetes: TestKubernetes, megabytes: number): Promise<SmallVolume> {
  const core = coreOf(kubernetes);
  await removeAbandoned(core);
  const name = `small-${randomBytes(4).toString('hex')}`;
  const folder = join(volumes, name);
  await mkdir(folder, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', folder]);
  const body = JSON.stringify(persistentVolume(name, folder));
  await core.createPersistentVolume({ body: loadYaml<V1PersistentVolume>(body) });
  const ballast = join(folder, 'ballast');
  return {
    folder,
    claim: (claimName) => JSON.stringify(volumeClaim(name, claimName)),
    fillUp: () => fillUp(ballast),
    makeRoom: () => rm(ballast, { force: true }),
    remove: () => remove(core, name),
  };
}

// A storage class of its own, which need not exist, keeps other claims away.
function persistentVolume(name: string, path: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels: { [processLabel]: String(process.pid) } },
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      storageClassName: name,
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path },
    },
  };
}

function volumeClaim(volumeName: string, name: string): object {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { ...spec, storageClassName: volumeName, volumeName },
  };
}

async function fillUp(file: string): Promise<void> {
  const ballast = await open(file, 'w');
  try {
    // Down to the last bytes, by chunks that get smaller.
    for (let size = 1 << 20; size > 0; size = Math.floor(size / 16)) {
      const chunk = Buffer.alloc(size);
      try {
        for (;;) await ballast.write(chunk);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      }
    }
  } finally {
    await ballast.close();
  }
}

async function remove(core: CoreV1Api, name: string): Promise<void> {
  await core.deletePersistentVolume({ name }).catch((error: unknown) => {
    if (!(error instanceof ApiException && error.code === 404)) throw error;
  });
  const folder = join(volumes, name);
  if (!existsSync(folder)) return;
  // Lazily: kubelet may be a moment late in letting go of it.
  await tryRun('umount', ['--lazy', folder]);
  await chmod(folder, 0o755);
  await rmdir(folder);
}

/** A run that was killed could not remove its volumes; the next one does. */
async function removeAbandoned(core: CoreV1Api): Promise<void> {
  const { items } = await core.listPersistentVolume({ labelSelector: processLabel });
  for (const { metadata } of items) {
    const pid = metadata?.labels?.[processLabel] ?? '';
    if (metadata?.name !== undefined && !existsSync(`/proc/${pid}`)) await remove(core, metadata.name);
  }
}

function coreOf({ kubeconfig, context }: TestKubernetes): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  config.setCurrentContext(context);
  return config.makeApiClient(CoreV1Api);
}
