import assert from 'node:assert/strict';
import { loadKubeconfigs, openContext } from '../../../src/kubernetes/entry.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import type { TestKubernetes } from '../startKubernetes.ts';

/** The test's own way to the API, beside the one that the extension under test opens. */
export function accessTo(kubernetes: TestKubernetes): KubernetesAccess {
  const { contexts } = loadKubeconfigs([kubernetes.kubeconfig]);
  const context = contexts.find((one) => one.name === kubernetes.context);
  assert.ok(context !== undefined, `${kubernetes.kubeconfig} has no context ${kubernetes.context}`);
  return openContext(context);
}

/** Asks again, twice a second, until the answer is yes. Throws with `what` when it is not within the time. */
export async function eventually(what: string, seconds: number, ask: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await ask())) {
    assert.ok(performance.now() < end, `Not within ${seconds} s: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
  }
}
