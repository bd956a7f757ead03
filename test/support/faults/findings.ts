import { check } from '../../../src/checks/check.ts';
import { mergeViews } from '../../../src/inventory/mergeViews.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { Deployment } from '../scenarios/deployment.ts';
import { servers, type Server } from '../scenarios/servers.ts';

/** What the check says of a deployed cluster at this moment, from what every server says of itself. */
export async function findingsOf(deployment: Deployment): Promise<readonly Finding[]> {
  const all = await servers(deployment);
  return check({
    ref: { context: 'test', namespace: deployment.namespace, name: 'redis-cluster' },
    name: 'redis-cluster',
    takenAt: Date.now(),
    workloads: [],
    ...mergeViews(all.map((one) => sourceOf(deployment, one))),
  });
}

function sourceOf(
  { namespace, image }: Deployment,
  server: Server,
): Parameters<typeof mergeViews>[0][number] {
  const { name, uid, ip, worker, ready, view } = server;
  const pod = { name, namespace, uid, ip, worker, ready, image, port: 6379, workload: 'redis-cluster' };
  return {
    pod: { ...pod, phase: 'Running', deleting: server.leaving, restarts: 0, container: 'redis' },
    reading: { tried: true, view, lastId: view.self.id },
  };
}
