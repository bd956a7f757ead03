import type { ClusterRef } from './clusterRef.ts';
import type { History } from './history.ts';
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
  /** The server's container runs, whatever the phase of the pod is. */
  readonly running?: boolean;
  /** Since when that container runs, by its worker's clock; milliseconds since the epoch. */
  readonly runningSince?: number;
  /** The worker itself reported that the server's container has ended. A worker that is silent reports nothing. */
  readonly ended?: boolean;
  /** Why it is not running, in Kubernetes' own words: ImagePullBackOff, CrashLoopBackOff, Unschedulable … */
  readonly reason?: string;
  readonly reasonMessage?: string;
  /**
   * Where the server's data can be, as far as the pod's spec says it: on a volume that outlives the pod, in a folder that
   * is deleted with it, or in the container itself.
   */
  readonly storage?: 'volume' | 'emptyDir' | 'none';
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
  /** Present while a rolling update runs: how many of how many pods have the new revision. */
  readonly rollout?: { readonly updated: number; readonly of: number };
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
  /** `host:port` where this machine reached it; only outside Kubernetes, and only where it answered. */
  readonly reachedAt?: string;
  /** It is reached through a program in its pod, since port-forward is not allowed. */
  readonly viaExec?: boolean;
  readonly role: 'master' | 'replica';
  readonly masterId?: string;
  readonly slots: SlotSet;
  readonly configEpoch: number;
  readonly health: NodeHealth;
  /** Why the node could not be read; absent where it answered. */
  readonly unreachable?: ReadFailure;
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

/**
 * What kept us from reading a server, coarse enough to say what to do: a password or user is missing or wrong, its TLS
 * is not understood, it denies a command that reading needs, Kubernetes denies a right, its pod does not run, it did not answer in time, it is not in cluster
 * mode, or the connection failed for another reason.
 */
export type ReadFailureReason =
  | 'password'
  | 'rejected'
  | 'tls'
  | 'command'
  | 'forbidden'
  | 'pod'
  | 'timeout'
  | 'not-clustered'
  | 'unreachable';

/** Why the last attempt to read a server failed, in words fit to be shown, and since when (ms since the epoch). */
export interface ReadFailure {
  readonly reason: ReadFailureReason;
  readonly message: string;
  readonly since?: number;
}

/** A server of the cluster from which nothing was read: what it is and what it holds is not known. */
export interface UnreadServer {
  readonly pod?: PodFacts;
  /** `host:port` where it is not in a pod. */
  readonly address?: string;
  readonly failure: ReadFailure;
}

/** At a node's address answers another node: one of another cluster, which never takes part in a plan, or another member. */
export interface Impostor {
  /** `host:port`, as members list it. */
  readonly address: string;
  /** The node that members list there. */
  readonly listedId: string;
  /** The node that answers there. */
  readonly answeringId: string;
}

/** Servers that run with the same node id, as one started from a copy of another's volume does. */
export interface DuplicateId {
  readonly id: string;
  /** What people call these servers: by pod, or by address. */
  readonly servers: readonly string[];
}

/** Servers of the cluster's own workloads that know each other, and not the part that the snapshot's `nodes` are. */
export interface ClusterPart {
  readonly nodes: readonly RedisNode[];
  /** Keys on its masters. */
  readonly keys: number;
  readonly slots: SlotSet;
  /**
   * Why it stands apart: it has keys and another id than before, it came back without data, it never joined, or it
   * serves all slots by itself, as another cluster's server does that was named by mistake.
   */
  readonly why: 'lost-identity' | 'lost-volume' | 'never-joined' | 'own-cluster';
}

/** Work that changes the cluster now: an operation of this window or, by its Lease, of a colleague's, or Kubernetes' own. */
export interface RunningWork {
  /** The plan's title, or what a StatefulSet does. */
  readonly title: string;
  /** Who runs it, where it is not this window. */
  readonly holder?: string;
  /**
   * The command that plans such an operation, without `redisCluster.`; `rollout` and `podsStarting` are a
   * StatefulSet's. Absent where a Lease does not say it.
   */
  readonly operation?: string;
  /** The slots that its steps open; absent where that is not known, such as of a colleague's. */
  readonly slots?: SlotSet;
  /** It ended a few seconds ago: replicas may not have heard of all of it yet. */
  readonly ended?: boolean;
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
  readonly unknownNodes: readonly KnownNode[];
  /** Pods of the cluster's workloads in which no member of the cluster was found: pending, crashing, or not joined yet. */
  readonly loosePods: readonly PodFacts[];
  readonly workloads: readonly WorkloadFacts[];
  /** Servers that could not be read, members or not, each with the reason. */
  readonly unread: readonly UnreadServer[];
  /** Addresses of members at which another node answers. */
  readonly impostors: readonly Impostor[];
  /** Node ids with which several servers run; absent where each runs once. `nodes` has one server of each. */
  readonly duplicateIds?: readonly DuplicateId[];
  /** The other parts where the cluster has fallen apart; `nodes` is then the largest part that holds keys. */
  readonly otherParts: readonly ClusterPart[];
  /** A person has said that `nodes` is the part to be changed, although there are others. */
  readonly isPartChosen?: boolean;
  /** The names of the clusters whose nodes have come to know each other; empty where it is one cluster. */
  readonly mergedFrom: readonly string[];
  /** Since when what the checks find is found; absent where nobody reads it again. */
  readonly history?: History;
  /** What a colleague's Lease says runs on it. */
  readonly running?: RunningWork;
  /** Where the pods' Kubernetes API failed us, what it said; what is shown then is what the servers said. */
  readonly apiProblem?: string;
}
