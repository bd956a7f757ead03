import { startChaosClient, type ChaosReport } from '../chaosClient.ts';
import { dnsAddress } from '../kubernetes/layout.ts';
import type { Deployment } from './deployment.ts';

/** What came of the work, and what the client that wrote meanwhile has seen. */
export interface UnderWriters<T> {
  readonly result: T;
  readonly report: ChaosReport;
}

/** Does the work while a client of its own process writes to every shard, finding the pods by the clients' Service. */
export async function underWriters<T>(
  deployment: Deployment,
  work: () => Promise<T>,
): Promise<UnderWriters<T>> {
  const { kubernetes, namespace, password, tls } = deployment;
  if (!kubernetes.podsReachable)
    throw new Error('the client writes from this machine, which does not reach the pods of this Kubernetes');
  const client = await startChaosClient({
    nodes: [{ host: `redis-cluster-clients.${namespace}.svc.cluster.local`, port: 6379 }],
    nameServer: dnsAddress,
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    const result = await work();
    return { result, report: await client.stop() };
  } catch (error) {
    await client.abandon();
    throw error;
  }
}
