import { fileURLToPath } from 'node:url';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { launchVSCode, type VSCodeUnderTest } from '../launchVSCode.ts';
import { startKubernetes, type TestKubernetes } from '../startKubernetes.ts';
import { accessTo } from './kubernetesAccess.ts';

const extensionPath = fileURLToPath(new URL('../../..', import.meta.url));

/** A real VS Code that looks at a namespace of its own in a real Kubernetes. */
export interface KubernetesEditor {
  readonly kubernetes: TestKubernetes;
  readonly access: KubernetesAccess;
  readonly vscode: VSCodeUnderTest;
  /** A cluster of that namespace, which may not be there yet. */
  readonly cluster: { readonly context: string; readonly namespace: string; readonly name: string };
  readonly close: () => Promise<void>;
}

/** @param prepare what the namespace is to hold before VS Code starts */
export async function kubernetesEditor(
  prefix: string,
  prepare: (access: KubernetesAccess, namespace: string) => Promise<void> = () => Promise.resolve(),
): Promise<KubernetesEditor> {
  const kubernetes = await startKubernetes({ log: console.log });
  const access = accessTo(kubernetes);
  const namespace = await kubernetes.createNamespace(prefix);
  const cluster = { context: kubernetes.context, namespace, name: 'shop' };
  await prepare(access, namespace);
  const vscode = await launchVSCode({
    extensionPath,
    settings: { 'redisCluster.namespaces': { [cluster.context]: [namespace] } },
    env: { KUBECONFIG: kubernetes.kubeconfig },
    log: console.log,
  });
  await vscode.setTheme('dark');
  return {
    ...{ kubernetes, access, vscode, cluster },
    close: async () => {
      await vscode.close();
      access.close();
      await kubernetes.stop();
    },
  };
}
