import { join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import { findGo } from './go.ts';
import { run } from './run.ts';
import type { Log } from './run.ts';

/** The paths of the programs built from the Go sources beside this file. */
export interface Binaries {
  /** Kubernetes: `kube apiserver|controller-manager|kubelet|proxy|scheduler`. */
  readonly kube: string;
  /** DNS, and `addons provisioner`. */
  readonly addons: string;
}

const kubernetesVersion = '1.33.4';

/** Builds both programs, minutes the first time and a look into the cache afterwards. */
export async function buildBinaries(log: Log): Promise<Binaries> {
  const [, minor = ''] = kubernetesVersion.split('.');
  const version = 'k8s.io/component-base/version';
  const flags = `-X ${version}.gitVersion=v${kubernetesVersion} -X ${version}.gitMajor=1 -X ${version}.gitMinor=${minor}`;
  return {
    kube: await buildGo('kube', ['main.go'], flags, log),
    addons: await buildGo('addons', ['main.go', 'provisioner.go'], '', log),
  };
}

async function buildGo(name: string, sources: readonly string[], flags: string, log: Log): Promise<string> {
  const folder = join(import.meta.dirname, name);
  const files = [...sources, 'go.mod', 'go.sum'].map((file) => join(folder, file));
  const key = await contentKey(files, flags, process.arch);
  return await cached(`${name}-${key}`, log, async (path) => {
    const go = await findGo(log);
    // Without cgo no C compiler is needed.
    const env = { ...process.env, CGO_ENABLED: '0' };
    await run(go, ['build', '-trimpath', '-ldflags', `-s -w ${flags}`, '-o', path, '.'], {
      cwd: folder,
      env,
    });
  });
}
