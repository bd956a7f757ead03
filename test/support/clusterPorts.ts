import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import type { KubernetesClusterRef } from '../../src/model/clusterRef.ts';
import { UserError } from '../../src/model/errors.ts';
import type { NodeView } from '../../src/model/nodeView.ts';
import type { Progress } from '../../src/model/progress.ts';
import type { ClusterSnapshot, RedisNode } from '../../src/model/snapshot.ts';
import type { JoinPorts } from '../../src/operations/statefulSets/joinPods.ts';
import type { PodPorts, UpgradePorts } from '../../src/operations/statefulSets/ports.ts';
import { pauseAgentOver, meet, replicate } from '../../src/redis/admin.ts';
import { connectNode } from '../../src/redis/connect.ts';
import type { Credentials, NodeConnection } from '../../src/redis/nodeConnection.ts';
import { readNodeTimeout } from '../../src/redis/moveSlots/ready.ts';
import { readNodeView } from '../../src/redis/nodeView.ts';
import { waiting } from '../../src/ui/run/waiting.ts';
import { nothingElse } from './nothingElse.ts';

/** The ports of deploy, scale, upgrade and delete over a real Kubernetes, as the extension wires them, and what they said. */
export interface ClusterPorts extends JoinPorts, UpgradePorts, PodPorts {
  readonly said: readonly Progress[];
  /** Ends all forwards and connections. */
  close(): void;
  /** A connection to the server in a pod, kept until `close`. */
  dial(namespace: string, pod: string, port?: number): Promise<NodeConnection>;
}

const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 5_000 };

/** @param name the deployment whose generated password is used, if it has one */
export function clusterPorts(
  access: KubernetesAccess,
  name: string,
  signal: AbortSignal = AbortSignal.timeout(300_000),
): ClusterPorts {
  const open = new Map<string, Promise<NodeConnection>>();
  const ends: (() => void)[] = [];
  const said: Progress[] = [];
  let met: string | undefined;
  const dial = async (namespace: string, pod: string, port: number): Promise<NodeConnection> => {
    const password = await access.readSecret(namespace, { secret: `${name}-auth`, key: 'password' });
    const ca = await access.readSecret(namespace, { secret: `${name}-tls`, key: 'ca.crt' });
    const credentials: Credentials = {
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { tls: { ca } }),
    };
    const forward = await access.forward(namespace, pod, port);
    ends.push(() => {
      forward.close();
    });
    const connection = await connectNode({ path: forward.path }, credentials, times);
    ends.push(() => {
      connection.close();
    });
    return connection;
  };
  const kept = async <T>(
    namespace: string,
    pod: string,
    port: number,
    use: (connection: NodeConnection) => Promise<T>,
  ): Promise<T> => {
    const key = `${namespace}/${pod}`;
    const connection = open.get(key) ?? dial(namespace, pod, port);
    open.set(key, connection);
    try {
      return await use(await connection);
    } catch (error) {
      open.delete(key);
      throw error;
    }
  };
  return {
    access,
    signal,
    said,
    report: (progress) => said.push(progress),
    ...waiting,
    readNode: (namespace, pod, port): Promise<NodeView> => {
      return kept(namespace, pod, port, async (connection) => {
        const view = await readNodeView(connection);
        if (view.others.length > 0) met = `${namespace}/${pod}`;
        return view;
      });
    },
    joinNode: async ({ ip: host = '', port }, { busPort }) => {
      const member = await open.get(met ?? '');
      if (member === undefined) throw new Error('no member of the cluster is connected');
      await meet(member, { host, port, busPort });
    },
    replicate: ({ namespace, name, port }, _id, masterId) =>
      kept(namespace, name, port, (connection) => replicate(connection, masterId)),
    withNode: kept,
    pauseAgent: async (namespace, pod, port) => pauseAgentOver(await dial(namespace, pod, port)),
    readNodeTimeout,
    dial: (namespace, pod, port = 6379) => kept(namespace, pod, port, (one) => Promise.resolve(one)),
    close: () => {
      for (const end of ends.reverse()) end();
    },
  };
}

/** What the servers in a StatefulSet's pods say of themselves, as a snapshot with nothing but what scaling looks at. */
export async function snapshotOf(ports: ClusterPorts, ref: KubernetesClusterRef): Promise<ClusterSnapshot> {
  const candidates = await ports.access.discover(ref.namespace);
  const found = candidates.find(({ workload }) => workload.name === ref.name);
  if (found === undefined) throw new UserError('not-found', `no StatefulSet ${ref.name}`);
  const nodes = await Promise.all(
    found.pods.map(async (pod): Promise<RedisNode> => {
      const view = await ports.readNode(pod.namespace, pod.name, pod.port);
      return { ...view.self, role: view.replication.role, health: 'ok', view, pod };
    }),
  );
  const { name } = ref;
  return {
    ref,
    name,
    takenAt: Date.now(),
    nodes,
    ...nothingElse,
    workloads: [found.workload],
  };
}
