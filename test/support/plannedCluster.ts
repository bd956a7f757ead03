import { claimOf } from '../../src/inventory/claims.ts';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { RedisReading } from '../../src/inventory/nodeReader.ts';
import type { KubernetesClusterRef } from '../../src/model/clusterRef.ts';
import { prepareDeploy, runDeploy } from '../../src/operations/deploy.ts';
import type { RunPorts } from '../../src/operations/runPlan.ts';
import * as redis from '../../src/redis/entry.ts';
import { waiting } from '../../src/ui/waiting.ts';
import { manifestFiles } from './manifestFiles.ts';
import { operationsFixture, type OperationsFixture } from './operationsFixture.ts';

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
  await runDeploy(await prepareDeploy(access, manifestFiles(), answers), fixture.ports);
  return plannedIn(fixture, ref, limit);
}

/** The ports with which plans run on a cluster of any manifests whose pods are there. */
export async function plannedIn(
  fixture: OperationsFixture,
  ref: KubernetesClusterRef,
  limit = 900_000,
): Promise<PlannedCluster> {
  const { access, namespace } = fixture;
  const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 10_000 };
  const connect: RedisReading['connectNode'] = (endpoint, credentials) =>
    redis.connectNode(endpoint, credentials, times);
  const inventory = new Inventory({
    redis: () =>
      Promise.resolve({ connectNode: connect, connectPatiently: connect, readNodeView: redis.readNodeView }),
    addressSource: (ref) => ({ ref, name: 'test', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  inventory.setContexts([
    { name: access.context, namespaces: [namespace], fingerprint: '', open: () => Promise.resolve(access) },
  ]);
  // As an operation does: its nodes are dialled by what is read of them.
  inventory.need(claimOf(ref));
  const { readNode, withNode, pauseAgent } = fixture.ports;
  return {
    ...fixture,
    ref,
    runPorts: {
      ...{ redis, report: () => undefined, signal: AbortSignal.timeout(limit), ...waiting },
      readSnapshot: () => inventory.fresh(ref),
      dialer: await inventory.dialer(ref),
      kubernetes: { access, namespace, readNode, withNode, pauseAgent },
    },
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
