import assert from 'node:assert/strict';
import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../src/model/errors.ts';
import { clusterPorts, type ClusterPorts } from './clusterPorts.ts';
import { kubectlIn, type Kubectl } from './scenarios/kubectl.ts';
import { startKubernetes, type TestKubernetes } from './startKubernetes.ts';

/** A namespace of a real Kubernetes and all that an operation needs there. */
export interface OperationsFixture {
  readonly kubernetes: TestKubernetes;
  readonly access: KubernetesAccess;
  readonly namespace: string;
  readonly ports: ClusterPorts;
  readonly kubectl: Kubectl;
  close(): Promise<void>;
}

/**
 * @param cluster the deployment whose generated password is used, if it has one
 * @param limit milliseconds after which whatever still runs is stopped
 */
export async function operationsFixture(
  prefix: string,
  cluster: string,
  limit = 900_000,
): Promise<OperationsFixture> {
  const kubernetes = await startKubernetes();
  const namespace = await kubernetes.createNamespace(prefix);
  const context = loadKubeconfigs([kubernetes.kubeconfig]).contexts.find(
    (one) => one.name === kubernetes.context,
  );
  assert.ok(context);
  const access = openContext(context);
  const ports = clusterPorts(access, cluster, AbortSignal.timeout(limit));
  return {
    kubernetes,
    access,
    namespace,
    ports,
    kubectl: kubectlIn(kubernetes, namespace),
    close: async () => {
      ports.close();
      access.close();
      await kubernetes.deleteNamespace(namespace);
      await kubernetes.stop();
    },
  };
}

/** Asserts that an operation was refused for that reason, in such words. */
export async function refused(run: Promise<unknown>, reason: string, message: RegExp): Promise<void> {
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, message);
    return true;
  });
}
