import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { parseClusterNodes } from '../../../src/redis/clusterNodes.ts';
import { nodeView } from '../../../src/redis/nodeView.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import { tlsOptions } from '../chaosClient.ts';
import type { Deployment, Pod } from './deployment.ts';

/** A server as it sees its cluster, and the pod it runs in. */
export interface Server extends Pod {
  readonly view: NodeView;
  /** Slots that this server believes to be served. */
  readonly slotsOk: number;
}

/** One connection to the server in a pod, for one piece of work. Rejects when a command takes longer. */
export async function withServer<T>(
  { password, tls }: Deployment,
  ip: string,
  work: (redis: Redis) => Promise<T>,
  commandTimeout = 3000,
): Promise<T> {
  const redis = new Redis({
    host: ip,
    port: 6379,
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    connectTimeout: 1000,
    commandTimeout,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** What every pod's server says of the cluster; rejects where one does not answer for half a minute. */
export async function servers(deployment: Deployment): Promise<readonly Server[]> {
  const end = performance.now() + 30_000;
  for (;;) {
    try {
      return await Promise.all((await deployment.pods()).map((pod) => server(deployment, pod)));
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(500);
    }
  }
}

/** What the server of one pod says. */
export function server(deployment: Deployment, pod: Pod): Promise<Server> {
  return withServer(deployment, pod.ip, async (redis) => {
    const [nodes, info, all] = await Promise.all([
      redis.call('CLUSTER', 'NODES'),
      redis.call('CLUSTER', 'INFO'),
      redis.call('INFO'),
    ]).then((replies) => replies.map(String));
    const slotsOk = Number(/cluster_slots_ok:(\d+)/.exec(info ?? '')?.[1] ?? 0);
    return { ...pod, view: nodeView(parseClusterNodes(nodes ?? ''), info ?? '', all ?? ''), slotsOk };
  });
}

/** A server that owns slots, whichever comes first. */
export async function aMaster(deployment: Deployment): Promise<Server> {
  const found = (await servers(deployment)).find(({ view }) => view.self.slots.length > 0);
  if (found === undefined) throw new Error('no pod owns slots');
  return found;
}

/** Masters of which no copy is on another worker. */
export function sharedWorkers(all: readonly Server[]): readonly string[] {
  return all.flatMap(({ name, worker, view }) => {
    if (view.self.slots.length === 0) return [];
    const copies = all.filter((other) => other.view.self.masterId === view.self.id);
    const apart = copies.some((copy) => copy.worker !== worker);
    return apart ? [] : [`${name} on ${worker}`];
  });
}
