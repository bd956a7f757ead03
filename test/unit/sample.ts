import type { KnownNode, NodeView } from '../../src/model/nodeView.ts';
import type { ClusterSnapshot, PodFacts } from '../../src/model/snapshot.ts';
import { mergeViews } from '../../src/inventory/mergeViews.ts';
import type { Source } from '../../src/inventory/source.ts';
import type { SlotSet } from '../../src/model/slots.ts';

/** A healthy cluster of three masters m0 m1 m2 and their replicas r0 r1 r2, as six servers would say it. */
const thirds: readonly SlotSet[] = [[[0, 5460]], [[5461, 10922]], [[10923, 16383]]];

export function line(id: string, changes: Partial<KnownNode> = {}): KnownNode {
  const index = Number(id.slice(1));
  const isMaster = id.startsWith('m');
  return {
    id,
    host: isMaster ? `10.0.0.${index}` : `10.0.1.${index}`,
    port: 6379,
    busPort: 16379,
    flags: [isMaster ? 'master' : 'slave'],
    ...(isMaster ? {} : { masterId: `m${index}` }),
    configEpoch: index + 1,
    linkState: 'connected',
    slots: isMaster ? (thirds[index] ?? []) : [],
    migrating: [],
    importing: [],
    ...changes,
  };
}

export const ids = ['m0', 'm1', 'm2', 'r0', 'r1', 'r2'];

export function view(id: string, changes: Partial<NodeView> = {}): NodeView {
  return {
    self: line(id),
    others: ids.filter((other) => other !== id).map((other) => line(other)),
    clusterState: 'ok',
    slotsAssigned: 16_384,
    currentEpoch: 3,
    product: 'redis',
    version: '7.0.15',
    loading: false,
    keys: 100,
    usedMemoryBytes: 2_000_000,
    maxMemoryBytes: 0,
    uncountedMemoryBytes: 0,
    evictionPolicy: 'noeviction',
    persistence: { appendOnlyWritten: true, appendOnlyRewritten: true, snapshotSaved: true },
    uptimeSeconds: 60,
    replication: id.startsWith('m')
      ? { role: 'master', offset: 1000, replicas: [] }
      : { role: 'replica', offset: 900, linkUp: true, syncing: false, replicas: [] },
    ...changes,
  };
}

export function pod(name: string, ip: string, changes: Partial<PodFacts> = {}): PodFacts {
  return {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    ip,
    worker: 'worker-0',
    phase: 'Running',
    ready: true,
    deleting: false,
    restarts: 0,
    container: 'redis',
    image: 'redis:7.0.15',
    port: 6379,
    workload: 'cart',
    ...changes,
  };
}

export function source(id: string, changes: Partial<NodeView> = {}): Source {
  const own = view(id, changes);
  const name = `cart-${ids.indexOf(id)}`;
  return { pod: pod(name, own.self.host), reading: { tried: true, view: own, lastId: id } };
}

/** A server that answered before and does not now. */
export function silent(id: string): Source {
  const { pod: facts } = source(id);
  const failure = { since: 1, reason: 'unreachable' as const, message: 'No answer within 3 s.' };
  return { ...(facts === undefined ? {} : { pod: facts }), reading: { tried: true, failure, lastId: id } };
}

export function snapshotOf(sources: readonly Source[]): ClusterSnapshot {
  return {
    ref: { context: 'test', namespace: 'shop', name: 'cart' },
    name: 'cart',
    takenAt: 0,
    workloads: [{ kind: 'StatefulSet', name: 'cart', replicas: 6, readyReplicas: 6, bundled: true }],
    ...mergeViews(sources),
  };
}

/** As by address: the first node answers, the others announce what leads nowhere. */
export function behindNat(): ClusterSnapshot {
  const [first = '', ...rest] = ids;
  const seen = snapshotOf([source(first), ...rest.map((id) => silent(id))]);
  return {
    ...seen,
    ref: { addresses: ['127.0.0.1:30000'] },
    nodes: seen.nodes.map((node) =>
      node.id === first
        ? node
        : {
            ...node,
            health: 'unreachable' as const,
            unreachable: { reason: 'timeout' as const, message: 'late' },
          },
    ),
  };
}
