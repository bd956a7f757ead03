import type { KubernetesClusterRef } from '../../src/model/clusterRef.ts';
import { prepareDeploy } from '../../src/operations/deploy.ts';
import type { RunPorts } from '../../src/operations/run/runPlan.ts';
import { manifestFiles } from './manifestFiles.ts';
import { operationsFixture, type OperationsFixture } from './operationsFixture.ts';
import { deployOver, planPorts } from './planPorts.ts';

/** A cluster of the bundled manifests in a real Kubernetes, and the ports with which plans run on it. */
export interface PlannedCluster extends OperationsFixture {
  readonly ref: KubernetesClusterRef;
  readonly runPorts: RunPorts;
  /** The names of all clusters that the last reading found in the namespace. */
  readonly clusterNames: () => readonly string[];
}

/** Deploys three masters with a replica each. @param limit milliseconds after which whatever still runs is stopped */
export async function plannedCluster(
  name: string,
  { limit = 900_000, image }: { readonly limit?: number; readonly image?: string } = {},
): Promise<PlannedCluster> {
  const fixture = await operationsFixture(name, name, limit);
  const { access, namespace } = fixture;
  const ref = { context: access.context, namespace, name };
  const shape = { masters: 3, replicasPerMaster: 1, storage: '1Gi', auth: 'generate' } as const;
  const answers = { namespace, name, ...shape, ...(image === undefined ? {} : { image }) };
  await deployOver(fixture.ports, await prepareDeploy(access, manifestFiles(), answers));
  return plannedIn(fixture, ref, limit);
}

/** The ports with which plans run on a cluster of any manifests whose pods are there. */
export async function plannedIn(
  fixture: OperationsFixture,
  ref: KubernetesClusterRef,
  limit = 900_000,
): Promise<PlannedCluster> {
  const { inventory, runPorts } = await planPorts(fixture.ports, ref);
  return {
    ...fixture,
    ref,
    runPorts: { ...runPorts, report: () => undefined, signal: AbortSignal.timeout(limit) },
    clusterNames: () =>
      inventory
        .contexts()
        .flatMap(({ scopes }) => scopes)
        .flatMap(({ clusters }) => clusters.map((one) => one.name)),
    close: async () => {
      inventory.dispose();
      await fixture.close();
    },
  };
}
