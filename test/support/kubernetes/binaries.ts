import { dirname, join } from 'node:path';
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
  /** Of the same version, whatever the machine has: Debian 12's is too old for kustomize components. */
  readonly kubectl: string;
}

const kubernetesVersion = '1.33.4';

const [, kubernetesMinor = ''] = kubernetesVersion.split('.');
const version = 'k8s.io/component-base/version';
const versionFlags = `-X ${version}.gitVersion=v${kubernetesVersion} -X ${version}.gitMajor=1 -X ${version}.gitMinor=${kubernetesMinor}`;

/** Builds all programs, minutes the first time and a look into the cache afterwards. */
export async function buildBinaries(log: Log): Promise<Binaries> {
  return {
    kube: await buildGo({ name: 'kube', module: 'kube', sources: ['main.go'], flags: versionFlags }, log),
    addons: await buildGo({ name: 'addons', module: 'addons', sources: ['main.go', 'provisioner.go'] }, log),
    kubectl: await buildKubectl(log),
  };
}

/** The part of `buildBinaries` that is kubectl. */
export function buildKubectl(log: Log): Promise<string> {
  const main = join('kubectl', 'main.go');
  return buildGo({ name: 'kubectl', module: 'kube', sources: [main], flags: versionFlags }, log);
}

/** A server of the S3 protocol that checks signatures and keeps its objects in a folder. */
export function buildS3Server(log: Log): Promise<string> {
  const main = 'github.com/versity/versitygw/cmd/versitygw';
  return buildGo({ name: 's3', module: 's3', sources: ['go.mod'], main }, log);
}

interface GoProgram {
  readonly name: string;
  /** The folder beside this file that holds go.mod. */
  readonly module: string;
  readonly sources: readonly [main: string, ...others: string[]];
  readonly flags?: string;
  /** The package of another module, where there are no sources of our own. */
  readonly main?: string;
}

async function buildGo(
  { name, module, sources, flags = '', main = '.' }: GoProgram,
  log: Log,
): Promise<string> {
  const folder = join(import.meta.dirname, module);
  const files = [...sources, 'go.mod', 'go.sum'].map((file) => join(folder, file));
  const key = await contentKey(files, flags, process.arch);
  return await cached(`${name}-${key}`, log, async (path) => {
    const go = await findGo(log);
    // Without cgo no C compiler is needed.
    const env = { ...process.env, CGO_ENABLED: '0' };
    await run(go, ['build', '-trimpath', '-ldflags', `-s -w ${flags}`, '-o', path, main], {
      cwd: dirname(join(folder, sources[0])),
      env,
    });
  });
}
