import { claimOf } from '../../src/inventory/claims.ts';
import { Inventory } from '../../src/inventory/inventory.ts';
import type { RedisReading } from '../../src/inventory/nodeReader.ts';
import type { KubernetesClusterRef } from '../../src/model/clusterRef.ts';
import type { DeployPlan } from '../../src/operations/deploy.ts';
import type { Plan } from '../../src/operations/plans/plan.ts';
import type { PlanResult } from '../../src/operations/run/planResult.ts';
import { runPlan, type RunPorts } from '../../src/operations/run/runPlan.ts';
import { asksByItself } from '../../src/operations/steps/index.ts';
import * as redis from '../../src/redis/entry.ts';
import type { ClusterDialer } from '../../src/redis/nodeConnection.ts';
import { waiting } from '../../src/ui/run/waiting.ts';
import type { ClusterPorts } from './clusterPorts.ts';

/** The ports with which plans run on a cluster in a real Kubernetes, read as the extension reads it. */
export interface PlanPorts {
  readonly inventory: Inventory;
  readonly runPorts: RunPorts;
}

const noDialer: ClusterDialer = {
  credentials: {},
  dial: () => Promise.reject(new Error('the plan dials no node')),
};

/**
 * Of a cluster of any manifests. The caller disposes the inventory.
 * @param isAsking whether all steps ask by themselves: then the cluster need not be there
 */
export async function planPorts(
  ports: ClusterPorts,
  ref: KubernetesClusterRef,
  isAsking = false,
): Promise<PlanPorts> {
  const { access, signal, readNode, withNode, pauseAgent, report } = ports;
  const { namespace } = ref;
  const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 10_000 };
  const connect: RedisReading['connectNode'] = (endpoint, credentials) =>
    redis.connectNode(endpoint, credentials, times);
  const inventory = new Inventory({
    redis: () =>
      Promise.resolve({ connectNode: connect, connectPatiently: connect, readNodeView: redis.readNodeView }),
    addressSource: (own) => ({
      ref: own,
      name: 'test',
      sandbox: false,
      credentials: () => Promise.resolve({}),
    }),
  });
  // What is opened is closed with the inventory, and this is the test's own.
  const kept = { ...access, close: () => undefined };
  inventory.setContexts([
    { name: access.context, namespaces: [namespace], fingerprint: '', open: () => Promise.resolve(kept) },
  ]);
  // As an operation does: its nodes are dialled by what is read of them.
  inventory.need(claimOf(ref));
  return {
    inventory,
    runPorts: {
      ...{ redis, report, signal, ...waiting },
      readSnapshot: () => (isAsking ? inventory.look(ref) : inventory.fresh(ref)),
      dialer: isAsking ? noDialer : await inventory.dialer(ref),
      kubernetes: { access, namespace, readNode, withNode, pauseAgent },
    },
  };
}

/** Runs a plan as the extension does. */
export async function runOver(
  ports: ClusterPorts,
  plan: Plan & { readonly ref: KubernetesClusterRef },
  deployment: Pick<RunPorts, 'manifests'> = {},
): Promise<PlanResult> {
  const { inventory, runPorts } = await planPorts(ports, plan.ref, asksByItself(plan));
  try {
    return await runPlan(plan, { ...runPorts, ...deployment });
  } finally {
    inventory.dispose();
  }
}

/** Deploys a cluster as the extension does. */
export function deployOver(ports: ClusterPorts, plan: DeployPlan): Promise<PlanResult> {
  return runOver(ports, plan, { manifests: plan.objects });
}
