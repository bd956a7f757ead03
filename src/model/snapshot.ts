import type { ClusterRef } from './clusterRef.ts';
import type { KnownNode, NodeView } from './nodeView.ts';
import type { SlotSet } from './slots.ts';

/** What Kubernetes says of the pod a Redis node runs in. */
export interface PodFacts {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly ip?: string;
  /** The Kubernetes node it runs on; absent while it is not scheduled. */
  readonly worker?: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly deleting: boolean;
  readonly restarts: number;
  /** The worker itself reported that the server's container has ended. A worker that is silent reports nothing. */
  readonly ended?: boolean;
  /** Why it is not running, in Kubernetes' own words: ImagePullBackOff, CrashLoopBackOff, Unschedulable … */
  readonly reason?: string;
  readonly reasonMessage?: string;
  /** The container that runs the Redis server, and its image and port. */
  readonly container: string;
  readonly image: string;
  readonly port: number;
  /** The workload that owns the pod: a StatefulSet's name, or the pod's own where nothing owns it. */
  readonly workload: string;
}

/** A StatefulSet (or other owner) whose pods are nodes of the cluster. */
export interface WorkloadFacts {
  readonly kind: 'StatefulSet' | 'Pod' | 'Other';
  readonly name: string;
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Deployed by this extension's manifests: its pods' agents form and heal the cluster. */
  readonly bundled: boolean;
}

/** One Redis node, as its own `myself` line says where it answers, and as its peers say where it does not. */
export interface RedisNode {
  readonly id: string;
  /** Where its peers reach it. Never where this machine reaches it. */
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
  readonly role: 'master' | 'replica';
  readonly masterId?: string;
  readonly slots: SlotSet;
  readonly configEpoch: number;
  readonly health: NodeHealth;
  /** Why the node did not answer, and since when (ms since the epoch) where we saw it stop; absent where it answered. */
  readonly unreachable?: { readonly since?: number; readonly message: string };
  /** What the node itself said; absent where it did not answer. */
  readonly view?: NodeView;
  readonly pod?: PodFacts;
  /** Bytes of the master's stream the replica has not acknowledged yet; replicas only, where both answered. */
  readonly lagBytes?: number;
}

/**
 * `ok` answers and its cluster state is ok; `degraded` answers but says cluster state fail, is loading or has its
 * replication link down; `failed` is flagged fail by its peers; `unreachable` did not answer us, while its peers do not call it failed.
 */
export type NodeHealth = 'ok' | 'degraded' | 'failed' | 'unreachable';

/** A master with its replicas; `master` is absent where the replicas' master is not known to anybody. */
export interface Shard {
  /** The master's node id. */
  readonly id: string;
  readonly master?: RedisNode;
  readonly replicas: readonly RedisNode[];
  readonly slots: SlotSet;
}

/** One fresh reading of a cluster: facts only; judging them is the checks' work. */
export interface ClusterSnapshot {
  readonly ref: ClusterRef;
  /** What the tree row shows. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  readonly nodes: readonly RedisNode[];
  /** Nodes that some member lists but that are in no pod and answer nowhere we can reach: ghosts, foreigners, `handshake`. */
  readonly strangers: readonly KnownNode[];
  /** Pods of the cluster's workloads in which no member of the cluster was found: pending, crashing, or not joined yet. */
  readonly loosePods: readonly PodFacts[];
  readonly workloads: readonly WorkloadFacts[];
  /** Where the pods' Kubernetes API failed us, what it said; what is shown then is what the servers said. */
  readonly apiProblem?: string;
}
