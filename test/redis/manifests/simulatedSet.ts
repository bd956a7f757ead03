import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeViews } from '../../../src/inventory/mergeViews.ts';
import type { Source } from '../../../src/inventory/source.ts';
import type { Candidate, KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { messageOf } from '../../../src/model/errors.ts';
import type { ClusterSnapshot, PodFacts } from '../../../src/model/snapshot.ts';
import type { RunPorts } from '../../../src/operations/run/runPlan.ts';
import { connectNode } from '../../../src/redis/connect.ts';
import * as redis from '../../../src/redis/entry.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import { waiting } from '../../../src/ui/run/waiting.ts';
import { type ChaosClient, startChaosClient } from '../../support/chaosClient.ts';
import { settled, startAll } from './cluster.ts';
import { type SimulatedPods, simulatePods } from './simulatedPods.ts';

const workload = 'redis-cluster';
const namespace = 'simulated';
const times = { connectTimeoutMs: 3000, commandTimeoutMs: 10_000 };

/** The part of Kubernetes that plans about pods use, over pods that are processes: a StatefulSet that starts and stops them. */
interface SimulatedSet {
  readonly ports: RunPorts;
  readonly pods: () => readonly string[];
}

/** @param count pods that run already, with ordinals from 0 on */
function simulateSet(pods: SimulatedPods, count: number): SimulatedSet {
  let running = Array.from({ length: count }, (_, ordinal) => ordinal);
  let wanted = count;
  const addressOf = (ordinal: number): string => `${pods.net.network}.${String(ordinal + 1)}`;
  const ordinalOf = (name: string): number => Number(name.slice(workload.length + 1));
  /** Claims are called `data-<pod>`. */
  const volumeOf = (claim: string): string =>
    join(pods.folder(ordinalOf(claim.slice('data-'.length))), 'data');
  const nodes = new Map<string, number>();
  const dial = (ordinal: number): Promise<NodeConnection> =>
    connectNode({ host: addressOf(ordinal), port: pods.net.port }, {}, times);
  const using = async <T>(ordinal: number, use: (connection: NodeConnection) => Promise<T>): Promise<T> => {
    const connection = await dial(ordinal);
    return await use(connection).finally(() => {
      connection.close();
    });
  };
  const factsOf = async (ordinal: number): Promise<PodFacts> => ({
    ...{ name: `${workload}-${ordinal}`, namespace, uid: `uid-${ordinal}`, ip: addressOf(ordinal), workload },
    ...{
      worker: `worker-${ordinal % 3}`,
      phase: 'Running',
      restarts: 0,
      container: 'redis',
      image: 'redis:7',
    },
    ...{ ready: await pods.isReady(ordinal), deleting: false, port: pods.net.port },
  });
  const candidate = async (): Promise<Candidate> => {
    const facts = await Promise.all(running.map(factsOf));
    const readyReplicas = facts.filter(({ ready }) => ready).length;
    const set = {
      kind: 'StatefulSet' as const,
      name: workload,
      replicas: wanted,
      readyReplicas,
      bundled: true,
    };
    return { namespace, workload: set, pods: facts };
  };
  const scale: KubernetesAccess['scale'] = async (_namespace, _name, _from, to) => {
    wanted = to;
    for (let ordinal = running.length; ordinal < to; ordinal++) await pods.start(ordinal);
    for (let ordinal = running.length - 1; ordinal >= to; ordinal--) await pods.stop(ordinal);
    running = Array.from({ length: to }, (_, ordinal) => ordinal);
  };
  const access: Partial<KubernetesAccess> = {
    ...{ context: 'simulated', scale, discover: async () => [await candidate()] },
    watch: () => () => undefined,
    list: () => Promise.resolve([]),
    get: (apiVersion, kind, _namespace, name) => {
      const claim = { apiVersion, kind, metadata: { name, namespace } };
      return Promise.resolve(existsSync(volumeOf(name)) ? claim : undefined);
    },
    delete: async (_apiVersion, _kind, _namespace, name) => {
      await rm(volumeOf(name), { recursive: true });
      return true;
    },
  };
  const readSource = async (pod: PodFacts): Promise<Source> => {
    try {
      const view = await using(ordinalOf(pod.name), readNodeView);
      nodes.set(view.self.id, ordinalOf(pod.name));
      return { pod, reading: { tried: true, view, lastId: view.self.id } };
    } catch (error) {
      return {
        pod,
        reading: {
          tried: true,
          failure: { since: 0, reason: 'unreachable' as const, message: messageOf(error) },
        },
      };
    }
  };
  const readSnapshot = async (): Promise<ClusterSnapshot> => {
    const { workload: set, pods: facts } = await candidate();
    return {
      ref: { context: 'simulated', namespace, name: workload },
      ...{ name: workload, takenAt: Date.now(), workloads: [set] },
      ...mergeViews(await Promise.all(facts.map(readSource))),
    };
  };
  const ports: RunPorts = {
    ...{ readSnapshot, redis, report: () => undefined, signal: AbortSignal.timeout(300_000), ...waiting },
    dialer: {
      credentials: {},
      dial: async (id) => {
        const ordinal = nodes.get(id);
        if (ordinal === undefined) throw new Error(`no pod has the node ${id}`);
        return await dial(ordinal);
      },
    },
    kubernetes: {
      ...{ access: access as KubernetesAccess, namespace },
      readNode: (_namespace, pod) => using(ordinalOf(pod), readNodeView),
      withNode: (_namespace, pod, _port, use) => using(ordinalOf(pod), use),
      pauseAgent: async (_namespace, pod) => redis.pauseAgentOver(await dial(ordinalOf(pod))),
    },
  };
  return { ports, pods: () => running.map((ordinal) => `${workload}-${ordinal}`) };
}

/** Six pods of a whole cluster whose StatefulSet plans can scale, while a client writes; ended with everything in it. */
export async function withWrittenSet(
  use: (pods: SimulatedPods, set: SimulatedSet, chaos: ChaosClient) => Promise<void>,
): Promise<void> {
  const pods = await simulatePods();
  try {
    await startAll(pods, 0, 6);
    await pods.allReady(60);
    await settled(pods, 6);
    await use(pods, simulateSet(pods, 6), await startChaosClient({ nodes: pods.addresses() }));
  } finally {
    await pods.dispose();
  }
}
